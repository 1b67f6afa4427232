// SPDX-License-Identifier: Apache-2.0
#include "nas/core/log.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "core/capture.h"
#include "core/expect_error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

void LogOneOfEach() {
  LogDebug("d");
  LogInfo("i {} %s");
  LogWarning("w");
  LogError("e");
}

TEST_CASE("people see the level only where it matters, and no time") {
  CHECK(testing::CaptureStderr([] { LogOneOfEach(); }).text == "i {} %s\nwarning: w\nerror: e\n");
  const auto at = [](LogLevel level) {
    return testing::CaptureStderr([&] {
             LogOptions options;
             options.console = level;
             ConfigureLog(options);
             LogOneOfEach();
           })
        .text;
  };
  CHECK(at(LogLevel::kDebug) == "debug: d\ni {} %s\nwarning: w\nerror: e\n");
  CHECK(at(LogLevel::kWarning) == "warning: w\nerror: e\n");
  CHECK(at(LogLevel::kError) == "error: e\n");
  CHECK(at(LogLevel::kOff) == "");
}

TEST_CASE("colour marks the prefix and nothing else") {
  const testing::Captured captured = testing::CaptureStderr([] {
    LogOptions options;
    options.color = true;
    ConfigureLog(options);
    LogInfo("i");
    LogWarning("w");
  });
  CHECK(captured.text == "i\n\x1b[1;33mwarning:\x1b[0m w\n");
}

TEST_CASE("files hold everything with time and level") {
  const TempDir folder;
  const std::string first = (folder.path() / "first.log").string();
  const std::string second = (folder.path() / "run" / "nas.log").string();
  MakeDirectory(folder.path() / "run");
  WriteFileAtomic(second, "from before\n");
  const testing::Captured captured = testing::CaptureStderr([&] {
    LogOptions options;
    options.console = LogLevel::kOff;
    options.file = first;
    ConfigureLog(options);
    LogInfo("early");
    AddLogFile(second);
    LogOneOfEach();
  });
  CHECK(captured.exit_code == 0);
  CHECK(captured.text == "");
  const std::vector<std::string> lines = Split(ReadFile(first), '\n');
  REQUIRE(lines.size() == 6);
  const std::string time = "20*-*-*T*:*:*.*Z ";
  CHECK(GlobMatch(time + "info early", lines[0]));
  CHECK(GlobMatch(time + "debug d", lines[1]));
  CHECK(GlobMatch(time + "info i {} %s", lines[2]));
  CHECK(GlobMatch(time + "warning w", lines[3]));
  CHECK(GlobMatch(time + "error e", lines[4]));
  const std::vector<std::string> later = Split(ReadFile(second), '\n');  // a resumed run goes on with its log
  REQUIRE(later.size() == 6);
  CHECK(later[0] == "from before");
  CHECK(GlobMatch(time + "debug d", later[1]));
}

TEST_CASE("a log that cannot be opened is an input error") {
  const TempDir folder;
  const std::string path = folder.path().string();  // a folder
  CHECK(testing::CaptureStderr([&] {
          const std::string message = testing::MessageOf(ErrorKind::kInput, [&] { AddLogFile(path); });
          if (!StartsWith(message, "cannot write " + path + ": Is a directory; ")) throw 1;
          LogInfo("the console goes on");
        }).text == "the console goes on\n");
}

TEST_CASE("a log that cannot be written to is told once and stops nothing") {
  const TempDir folder;
  const testing::Captured captured = testing::CaptureStderr([&] {
    const rlimit limit{200, 200};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
    AddLogFile((folder.path() / "nas.log").string());
    for (int i = 0; i < 5; ++i) LogInfo(std::string(150, 'x'));
  });
  CHECK(captured.exit_code == 0);
  const std::vector<std::string> lines = Split(captured.text, '\n');
  REQUIRE(lines.size() == 7);
  CHECK(std::count(lines.begin(), lines.end(), std::string(150, 'x')) == 5);
  CHECK(std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
          return StartsWith(line, "warning: the log is incomplete: ");
        }) == 1);
}

TEST_CASE("lines of several threads do not mix") {
  const testing::Captured captured = testing::CaptureStderr([] {
    std::vector<std::thread> threads;
    for (char c : {'a', 'b', 'c', 'd'}) {
      threads.emplace_back([c] {
        for (int i = 0; i < 100; ++i) LogInfo(std::string(200, c));
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  const std::vector<std::string> lines = Split(captured.text, '\n');
  REQUIRE(lines.size() == 401);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) REQUIRE(lines[i] == std::string(200, lines[i][0]));
}

}  // namespace
}  // namespace nas
