// SPDX-License-Identifier: Apache-2.0
#include "nas/core/line_process.h"

#include <signal.h>

#include <thread>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

constexpr double kSoon = 20;

std::string Line(LineProcess& process) {
  std::string line;
  return process.Read(kSoon, &line) == LineProcess::Status::kLine ? line : "(none)";
}

}  // namespace

TEST_CASE("lines go in and come out while the program runs") {
  LineProcess cat({"cat"});
  cat.Write("one");
  CHECK(Line(cat) == "one");
  cat.Write("two");
  cat.Write("three");
  CHECK(Line(cat) == "two");
  CHECK(Line(cat) == "three");
  std::string line;
  CHECK(cat.Read(0.05, &line) == LineProcess::Status::kTimeout);
  cat.CloseInput();
  CHECK(cat.Read(kSoon, &line) == LineProcess::Status::kEnd);
}

TEST_CASE("more than a pipe holds goes both ways without a standstill") {
  LineProcess cat({"cat"});
  const std::string long_line(100000, 'x');
  for (int i = 0; i < 20; ++i) cat.Write(long_line);
  cat.CloseInput();
  for (int i = 0; i < 20; ++i) CHECK(Line(cat) == long_line);
  std::string line;
  CHECK(cat.Read(kSoon, &line) == LineProcess::Status::kEnd);
}

TEST_CASE("a line of over 1 MiB is refused; carriage returns of old terminals are dropped") {
  LineProcess shell({"sh", "-c", "printf 'a\\r\\n'; head -c 1100000 /dev/zero | tr '\\0' x"});
  CHECK(Line(shell) == "a");
  std::string line;
  CHECK_THROWS_AS(shell.Read(kSoon, &line), Error);
}

TEST_CASE("a program that is missing, or that died, is told apart from one that is silent") {
  CHECK_THROWS_AS(LineProcess({"/nonexistent/program"}), Error);
  LineProcess shell({"sh", "-c", "echo oh >&2; exit 3"});
  std::string line;
  CHECK(shell.Read(kSoon, &line) == LineProcess::Status::kEnd);
  CHECK(shell.errors() == "oh\n");
  shell.Write("nobody hears this");
  CHECK(shell.Read(kSoon, &line) == LineProcess::Status::kEnd);
}

TEST_CASE("the program and what it started end with the object") {
  int grandchild = 0;
  {
    LineProcess shell({"sh", "-c", "sleep 1000 & echo $!; wait"});
    grandchild = std::stoi(Line(shell));
    CHECK(::kill(grandchild, 0) == 0);
  }
  bool alive = true;
  for (int i = 0; i < 200 && alive; ++i) {
    alive = ::kill(grandchild, 0) == 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK_FALSE(alive);
}
