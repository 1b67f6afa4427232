// SPDX-License-Identifier: Apache-2.0
#include "nas/core/files.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include "core/capture.h"
#include "core/expect_error.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

template <typename Action>
std::string InputError(const Action& action) {
  return testing::MessageOf(ErrorKind::kInput, action);
}

TEST_CASE("files are read and written whole") {
  const TempDir folder;
  const fs::path path = folder.path() / "a.bin";
  std::string content = "one\0two\n\xff";
  content.resize(100000, 'z');
  WriteFileAtomic(path, content);
  CHECK(ReadFile(path) == content);
  WriteFileAtomic(path, "");
  CHECK(ReadFile(path).empty());
  CHECK(Names(folder.path()) == std::vector<std::string>{"a.bin"});
  CHECK(ReadFile("/proc/self/status").find("VmRSS") != std::string::npos);  // a file that claims to be empty
}

TEST_CASE("reading names the path, the reason and the remedy") {
  const TempDir folder;
  CHECK(InputError([] { ReadFile("/nowhere/x.json"); }) ==
        "cannot read /nowhere/x.json: No such file or directory; check the path");
  CHECK(InputError([&] { ReadFile(folder.path()); }) ==
        StrCat("cannot read ", folder.path().string(), ": Is a directory; name a file, not a folder"));
}

TEST_CASE("writing names the path, the reason and the remedy") {
  const TempDir folder;
  CHECK(InputError([] { WriteFileAtomic("/dev/full", "x"); }) ==
        "cannot write /dev/full: No space left on device; free some space or choose another --out");
  CHECK(InputError([] { AppendLine("/dev/full", "x"); }) ==
        "cannot write /dev/full: No space left on device; free some space or choose another --out");
  CHECK(InputError([] { WriteFileAtomic("/nowhere/x", "x"); }) ==
        "cannot write /nowhere/x: No such file or directory; make its folder first or choose another --out");
  CHECK(InputError([&] { WriteFileAtomic(folder.path(), "x"); }).find("Is a directory") != std::string::npos);
  WriteFileAtomic(folder.path() / "file", "x");
  CHECK(InputError([&] { WriteFileAtomic(folder.path() / "file" / "y", "x"); }).find("Not a directory") !=
        std::string::npos);
}

TEST_CASE("a write that fails midway leaves the old file and nothing else") {
  const TempDir folder;
  const fs::path path = folder.path() / "result.json";
  WriteFileAtomic(path, "old");
  const testing::Captured child = testing::CaptureStderr([&] {
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
    const std::string message = InputError([&] { WriteFileAtomic(path, std::string(5000, 'n')); });
    const bool named = message.find("cannot write " + path.string() + ": File too large; ") == 0;
    const std::string appended = InputError([&] { AppendLine(path, std::string(5000, 'n')); });
    if (!named || appended.find("cannot write ") != 0) throw 1;
  });
  CHECK(child.exit_code == 0);
  CHECK(ReadFile(path) == "old");  // the half line of AppendLine was taken back, too
  CHECK(Names(folder.path()) == std::vector<std::string>{"result.json"});
}

TEST_CASE("a file keeps its rights, a link stays a link, a device stays a device") {
  const TempDir folder;
  const fs::path path = folder.path() / "a";
  WriteFileAtomic(path, "1");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("a", folder.path() / "link");
  WriteFileAtomic(folder.path() / "link", "2");
  CHECK(fs::is_symlink(folder.path() / "link"));
  CHECK(ReadFile(path) == "2");
  CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  WriteFileAtomic("/dev/null", "gone");
  CHECK(fs::is_character_file("/dev/null"));
  // Relative paths have no parent folder.
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  WriteFileAtomic("b", "3");
  fs::current_path(before);
  CHECK(ReadFile(folder.path() / "b") == "3");
  WriteFileAtomic(folder.path() / std::string(255, 'n'), "longest name");
  CHECK(InputError([&] { WriteFileAtomic(folder.path() / std::string(256, 'n'), ""); }).find("shorter name") !=
        std::string::npos);
}

TEST_CASE("readers see the old or the new content, never half of it") {
  const TempDir folder;
  const fs::path path = folder.path() / "f";
  const std::string first(200000, 'a');
  const std::string second(200000, 'b');
  WriteFileAtomic(path, first);
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::thread reader([&] {
    while (!done) {
      const std::string seen = ReadFile(path);
      if (seen != first && seen != second) ++torn;
    }
  });
  for (int i = 0; i < 20; ++i) WriteFileAtomic(path, i % 2 == 0 ? second : first);
  done = true;
  reader.join();
  CHECK(torn == 0);
}

TEST_CASE("lines of several writers do not mix") {
  const TempDir folder;
  const fs::path path = folder.path() / "metrics.jsonl";
  std::vector<std::thread> writers;
  for (char c : {'a', 'b', 'c'}) {
    writers.emplace_back([&, c] {
      for (int i = 0; i < 200; ++i) AppendLine(path, std::string(300, c));
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::vector<std::string> lines = Split(ReadFile(path), '\n');
  CHECK(lines.size() == 601);
  CHECK(lines.back().empty());
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) REQUIRE(lines[i] == std::string(300, lines[i][0]));
}

TEST_CASE("folders are made with their parents unless a file is in the way") {
  const TempDir folder;
  MakeDirectory(folder.path() / "a" / "b");
  MakeDirectory(folder.path() / "a" / "b");
  CHECK(fs::is_directory(folder.path() / "a" / "b"));
  WriteFileAtomic(folder.path() / "file", "");
  const std::string in_the_way = (folder.path() / "file").string();
  CHECK(InputError([&] { MakeDirectory(folder.path() / "file" / "c"); }) ==
        StrCat("cannot make the folder ", in_the_way, "/c: ", in_the_way,
               " is a file; remove it or choose another --out"));
  CHECK(InputError([&] { MakeDirectory(folder.path() / "file"); }).find("is a file") != std::string::npos);
  CHECK(InputError([] { MakeDirectory("/proc/nas"); }).find("cannot make the folder /proc/nas: ") == 0);
}

TEST_CASE("CheckWritable tries and leaves nothing") {
  const TempDir folder;
  CheckWritable(folder.path());
  CHECK(Names(folder.path()).empty());
  CHECK(InputError([] { CheckWritable("/proc"); }).find("cannot write /proc: ") == 0);
  CHECK(InputError([] { CheckWritable("/nowhere"); }).find("cannot write /nowhere: ") == 0);
  const testing::Captured child = testing::CaptureStderr([&] {
    const rlimit none{0, 0};  // an empty file can still be made
    ::setrlimit(RLIMIT_FSIZE, &none);
    ::signal(SIGXFSZ, SIG_IGN);
    if (InputError([&] { CheckWritable(folder.path()); }).find("cannot write ") != 0) throw 1;
  });
  CHECK(child.exit_code == 0);
  CHECK(Names(folder.path()).empty());
}

TEST_CASE("a temporary folder goes with its object") {
  fs::path path;
  {
    const TempDir folder;
    path = folder.path();
    MakeDirectory(path / "deep" / "er");
    WriteFileAtomic(path / "deep" / "f", "x");
    const TempDir other;
    CHECK(other.path() != path);
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a lock admits one holder at a time") {
  const TempDir folder;
  const fs::path path = folder.path() / "lock";
  int counter = 0;  // guarded by the file lock alone
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const FileLock lock(path);
        const int before = *const_cast<volatile int*>(&counter);
        std::this_thread::yield();
        *const_cast<volatile int*>(&counter) = before + 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(counter == 800);
  CHECK(InputError([] { FileLock lock("/nowhere/lock"); }).find("cannot write /nowhere/lock") == 0);
}

}  // namespace
}  // namespace nas
