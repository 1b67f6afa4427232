// SPDX-License-Identifier: Apache-2.0
#include "nas/core/subprocess.h"

#include <fcntl.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "core/expect_error.h"
#include "nas/core/files.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

SubprocessResult Shell(const std::string& script, double deadline_s = 30, const std::string& input = "") {
  SubprocessOptions options;
  options.argv = {"sh", "-c", script};
  options.deadline_s = deadline_s;
  options.input = input;
  return RunSubprocess(options);
}

bool Exists(pid_t pid) {
  // A killed orphan stays a zombie until init looks at it: dead enough.
  try {
    return ReadFile(StrCat("/proc/", pid, "/stat")).find(") Z ") == std::string::npos;
  } catch (const Error&) {
    return false;
  }
}

bool EndsSoon(pid_t pid) {
  for (int i = 0; i < 500 && Exists(pid); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return !Exists(pid);
}

TEST_CASE("exit code and both streams come back") {
  const SubprocessResult result = Shell("echo out; echo err >&2; exit 7");
  CHECK(result.exit_code == 7);
  CHECK(result.out == "out\n");
  CHECK(result.err == "err\n");
  CHECK_FALSE(result.timed_out);
  CHECK(Shell("kill -TERM $$").exit_code == 128 + SIGTERM);
}

TEST_CASE("arguments reach the program as they are") {
  SubprocessOptions options;
  options.argv = {"printf", "%s|", "a b", "", "$HOME", "'\"*"};
  CHECK(RunSubprocess(options).out == "a b||$HOME|'\"*|");
  options.argv = {};
  CHECK(testing::MessageOf(ErrorKind::kInternal, [&] { RunSubprocess(options); }).find("needs a program") !=
        std::string::npos);
}

TEST_CASE("a missing program is 127, one that may not run 126") {
  SubprocessOptions options;
  options.argv = {"nas-no-such-program"};
  const SubprocessResult missing = RunSubprocess(options);
  CHECK(missing.exit_code == 127);
  CHECK(missing.err == "nas-no-such-program: No such file or directory\n");
  const TempDir folder;
  options.argv = {folder.path().string()};
  CHECK(RunSubprocess(options).exit_code == 126);
}

TEST_CASE("much input and output do not block each other") {
  std::string input(3'000'000, 'x');
  for (std::size_t i = 0; i < input.size(); i += 1000) input[i] = '\n';
  SubprocessOptions options;
  options.argv = {"tee", "/dev/stderr"};
  options.input = input;
  options.deadline_s = 60;
  const SubprocessResult result = RunSubprocess(options);
  CHECK(result.exit_code == 0);
  CHECK(result.out == input);
  CHECK(result.err == input);
}

TEST_CASE("standard input is empty unless given, and need not be read") {
  CHECK(Shell("cat").out.empty());
  const SubprocessResult result = Shell("exec <&-; echo done", 30, std::string(1'000'000, 'x'));
  CHECK(result.exit_code == 0);
  CHECK(result.out == "done\n");
  sigset_t pending;
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGPIPE) == 0);
}

TEST_CASE("a deadline kills the program with its grandchildren and keeps what was said") {
  // A busy machine may need more than the first deadline to get as far as the two numbers.
  SubprocessResult result;
  std::vector<std::string> pids;
  for (double deadline_s = 0.5; deadline_s < 20 && pids.size() != 2; deadline_s *= 2) {
    result = Shell("sleep 1000 & echo $!; (sleep 1001 & echo $!); wait", deadline_s);
    pids = Split(Trim(result.out), '\n');
  }
  CHECK(result.timed_out);
  CHECK(result.exit_code == 128 + SIGKILL);
  REQUIRE(pids.size() == 2);
  for (const std::string& text : pids) {
    long long pid = 0;
    REQUIRE(ParseInt(text, &pid));
    CHECK(EndsSoon(static_cast<pid_t>(pid)));
  }
}

TEST_CASE("a deadline also holds for a program that closes its streams") {
  const SubprocessResult result = Shell("exec >&- 2>&-; sleep 1000", 0.3);
  CHECK(result.timed_out);
}

TEST_CASE("a helper that stays behind with the streams does not hold the caller") {
  const SubprocessResult result = Shell("sleep 1000 & echo $!");
  CHECK(result.exit_code == 0);
  CHECK_FALSE(result.timed_out);
  long long pid = 0;
  REQUIRE(ParseInt(Trim(result.out), &pid));
  CHECK(Exists(static_cast<pid_t>(pid)));
  ::kill(static_cast<pid_t>(pid), SIGKILL);
}

TEST_CASE("lines are reported as they come, the last one also without its newline") {
  SubprocessOptions options;
  options.argv = {"sh", "-c", "printf 'a\\n\\nb'; sleep 0.1; printf 'c\\nd'"};
  std::vector<std::string> lines;
  options.on_line = [&](std::string_view line) { lines.emplace_back(line); };
  const SubprocessResult result = RunSubprocess(options);
  CHECK(lines == std::vector<std::string>{"a", "", "bc", "d"});
  CHECK(result.out == "a\n\nbc\nd");
}

TEST_CASE("an exception of the callback leaves no process behind") {
  SubprocessOptions options;
  options.argv = {"sh", "-c", "echo $$; exec sleep 1000"};
  long long pid = 0;
  options.on_line = [&](std::string_view line) {
    ParseInt(line, &pid);
    throw std::runtime_error("enough");
  };
  CHECK_THROWS_AS(RunSubprocess(options), std::runtime_error);
  REQUIRE(pid > 0);
  CHECK(EndsSoon(static_cast<pid_t>(pid)));
}

// Runs a program without a shell in between, which would have signal masks and descriptors of its own.
std::vector<std::string> LinesOf(std::vector<std::string> argv) {
  SubprocessOptions options;
  options.argv = std::move(argv);
  return Split(Trim(RunSubprocess(options).out), '\n');
}

TEST_CASE("the program leads a process group of its own") {
  const std::vector<std::string> lines = LinesOf({"cut", "-d ", "-f1,5", "/proc/self/stat"});
  REQUIRE(lines.size() == 1);
  const std::vector<std::string> numbers = Split(lines[0], ' ');  // process, process group
  REQUIRE(numbers.size() == 2);
  CHECK(numbers[0] == numbers[1]);
}

TEST_CASE("the program starts with default signals, none of them blocked") {
  ::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> lines = LinesOf({"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"});
  ::signal(SIGPIPE, SIG_DFL);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "SigBlk:\t0000000000000000");
  const std::uint64_t ignored = std::stoull(lines[1].substr(8), nullptr, 16);
  for (int signal : {SIGPIPE, SIGINT, SIGTERM}) CHECK((ignored >> (signal - 1)) % 2 == 0);
}

TEST_CASE("the program inherits none of our pipes") {
  std::size_t inherited = 0;  // what whoever started this test left open
  for (int fd = 3; fd < 1024; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    inherited += flags >= 0 && (flags & FD_CLOEXEC) == 0 ? 1 : 0;
  }
  CHECK(LinesOf({"ls", "/proc/self/fd"}).size() == 3 + 1 + inherited);  // + 1: the folder that ls reads
}

TEST_CASE("many threads may run programs at once") {
  std::vector<std::thread> threads;
  std::vector<int> codes(8, -1);
  for (std::size_t t = 0; t < codes.size(); ++t) {
    threads.emplace_back([&, t] {
      SubprocessOptions options;
      options.argv = {"sh", "-c", StrCat("cat; exit ", t)};
      options.input = std::string(100000, 'x');
      const SubprocessResult result = RunSubprocess(options);
      codes[t] = result.out.size() == 100000 ? result.exit_code : -2;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < codes.size(); ++t) CHECK(codes[t] == static_cast<int>(t));
}

TEST_CASE("quoted words pass a shell unchanged") {
  CHECK(ShellQuote("") == "''");
  CHECK(ShellQuote("/data/local/tmp/nas-agent_1.0") == "/data/local/tmp/nas-agent_1.0");
  CHECK(ShellQuote("a b") == "'a b'");
  CHECK(ShellQuote("it's") == "'it'\\''s'");
  CHECK(ShellQuote("a=b") == "'a=b'");  // as a first word it would be an assignment
  CHECK(testing::MessageOf(ErrorKind::kInput, [] { ShellQuote(std::string_view("a\0b", 3)); }).find("NUL") !=
        std::string::npos);
  CounterRng rng(5);
  const std::string awkward = "'\"\\$`!*?[]{}()<>|&;~# \t\n=-";
  // Many words in one shell: each is checked, few processes are started.
  for (int batch = 0; batch < 20; ++batch) {
    std::string script;
    std::string expected;
    for (int i = 0; i < 100; ++i) {
      std::string word(rng.Below(20), ' ');
      for (char& c : word) {
        c = rng.Below(2) == 0 ? awkward[rng.Below(awkward.size())] : static_cast<char>(1 + rng.Below(255));
      }
      script += StrCat("printf %s ", ShellQuote(word), "; printf '\\0'\n");
      expected += word + '\0';
    }
    const SubprocessResult result = Shell(script);
    REQUIRE(result.exit_code == 0);
    REQUIRE(result.out == expected);
  }
}

TEST_CASE("programs are found on the path") {
  CHECK(EndsWith(FindProgram("sh"), "/sh"));
  CHECK(FindProgram("/bin/sh") == "/bin/sh");
  CHECK(FindProgram("nas-no-such-program") == "");
  CHECK(FindProgram("") == "");
  const TempDir folder;
  CHECK(FindProgram(folder.path().string()) == "");  // a folder is no program
}

}  // namespace
}  // namespace nas
