// SPDX-License-Identifier: Apache-2.0
#include "nas/core/stop_flag.h"

#include <signal.h>

#include "core/capture.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

// Raises the signals one after the other, checking that the first one sets the flag; ends with 50 when all is well.
int ExitAfter(const std::vector<int>& signals) {
  return testing::CaptureStderr([&] {
           static StopFlag flag;
           InstallStopSignals(&flag);
           if (flag.requested()) ::_exit(1);
           for (int signal : signals) {
             ::raise(signal);
             if (!flag.requested()) ::_exit(2);
           }
           ::_exit(50);
         })
      .exit_code;
}

TEST_CASE("a flag is down until it is requested") {
  StopFlag flag;
  CHECK_FALSE(flag.requested());
  flag.Request();
  CHECK(flag.requested());
}

TEST_CASE("the first stop signal sets the flag and nothing else") {
  for (int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) CHECK(ExitAfter({signal}) == 50);
}

TEST_CASE("the second Ctrl-C ends at once; a second request of the system does not") {
  CHECK(ExitAfter({SIGINT, SIGINT}) == 130);
  CHECK(ExitAfter({SIGTERM, SIGTERM, SIGTERM}) == 50);
  CHECK(ExitAfter({SIGTERM, SIGINT}) == 50);
  CHECK(ExitAfter({SIGTERM, SIGINT, SIGINT}) == 130);
}

}  // namespace
}  // namespace nas
