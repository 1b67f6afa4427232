// SPDX-License-Identifier: Apache-2.0
#include "nas/core/error.h"

#include "core/expect_error.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

TEST_CASE("each error kind has the exit code of the contract") {
  CHECK(ExitCode(ErrorKind::kInternal) == 1);
  CHECK(ExitCode(ErrorKind::kUsage) == 2);
  CHECK(ExitCode(ErrorKind::kInput) == 3);
  CHECK(ExitCode(ErrorKind::kInfeasible) == 4);
  CHECK(ExitCode(ErrorKind::kUnavailable) == 5);
  CHECK(ExitCode(ErrorKind::kVerification) == 6);
  CHECK(ExitCode(ErrorKind::kTraining) == 7);
  CHECK(ExitCode(ErrorKind::kCheckpointed) == 75);
  CHECK(ExitCode(ErrorKind::kInterrupted) == 130);
}

TEST_CASE("the throwing helpers carry kind and message") {
  CHECK(testing::MessageOf(ErrorKind::kUsage, [] { ThrowUsage("a"); }) == "a");
  CHECK(testing::MessageOf(ErrorKind::kInput, [] { ThrowInput("b"); }) == "b");
  CHECK(testing::MessageOf(ErrorKind::kInternal, [] { ThrowInternal("c"); }) == "c");
}

}  // namespace
}  // namespace nas
