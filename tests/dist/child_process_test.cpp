// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "core/expect_error.h"
#include "nas/core/files.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::testing::MessageOf;

namespace {

int WaitFor(ChildProcess& child) {
  for (int i = 0; i < 3000; ++i) {
    if (const auto exit = child.Poll()) return *exit;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return -1;
}

}  // namespace

TEST_CASE("a child's exit code, environment and output", "[dist]") {
  const TempDir dir;
  const auto file = dir.path() / "out";
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ChildOptions options;
  options.argv = {"/bin/sh", "-c", "echo $RANK $0; echo err >&2; exit 7", "a b"};
  options.environment = {{"RANK", "3"}};
  options.out = options.err = fd;
  ChildProcess child(options);
  ::close(fd);
  REQUIRE(WaitFor(child) == 7);
  REQUIRE(ReadFile(file) == "3 a b\nerr\n");
  REQUIRE(child.Poll() == 7);
}

TEST_CASE("signals reach a child; its death by one is told", "[dist]") {
  ChildProcess child({{"/bin/sh", "-c", "while :; do sleep 0.05; done"}, {}, -1, -1});
  REQUIRE_FALSE(child.Poll());
  child.Signal(SIGKILL);
  REQUIRE(WaitFor(child) == 128 + SIGKILL);
}

TEST_CASE("a child that is let go of is killed with what it started", "[dist]") {
  const TempDir dir;
  int pid = 0;
  {
    ChildProcess child({{"/bin/sleep", "100"}, {}, -1, -1});
    pid = child.pid();
    REQUIRE(::kill(pid, 0) == 0);
  }
  REQUIRE(::kill(pid, 0) != 0);
}

TEST_CASE("a program that is not there is named", "[dist]") {
  REQUIRE(MessageOf(ErrorKind::kUnavailable, [] {
            ChildProcess child({{"/no/such/program"}, {}, -1, -1});
          }).find("cannot start /no/such/program") != std::string::npos);
}
