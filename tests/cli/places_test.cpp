// SPDX-License-Identifier: Apache-2.0
// Disks that are full or read-only, and damaged images: one sentence, exit 3, nothing lost.
#include <filesystem>

#include "data/image_files.h"
#include "nas/core/files.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
#include "program.h"
#include "support/catch_compat.h"

using nas::test::Outcome;
using nas::test::RunNas;

namespace {

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool Succeeds(const std::vector<std::string>& argv) {
  nas::SubprocessOptions options;
  options.argv = argv;
  options.deadline_s = 30;
  return nas::RunSubprocess(options).exit_code == 0;
}

/// A small file system of its own, where the test may mount one.
class SmallDisk {
 public:
  SmallDisk(const std::filesystem::path& place, const std::string& size) : place_(place) {
    std::filesystem::create_directories(place);
    mounted_ = Succeeds({"mount", "-t", "tmpfs", "-o", nas::StrCat("size=", size), "tmpfs", place.string()});
  }
  ~SmallDisk() {
    if (mounted_) Succeeds({"umount", place_.string()});
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  bool MakeReadOnly() const { return Succeeds({"mount", "-o", "remount,ro", place_.string()}); }

 private:
  std::filesystem::path place_;
  bool mounted_ = false;
};

std::vector<std::string> Search(const std::string& out) {
  return {"search", "--data",   "demo",     "--space", "tiny", "--limit-per-class", "40", "--epochs", "2", "--batch",
          "32",     "--target", "macs=50%", "--out",   out};
}

}  // namespace

TEST_CASE("a full disk ends a search with one sentence, and the run goes on once there is room", "[cli]") {
  const nas::TempDir dir;
  const SmallDisk disk(dir.path() / "disk", "600k");  // less than one checkpoint
  if (!disk.mounted()) {
    WARN("skipped: no right to mount a small disk here");
    return;
  }
  const std::string out = (dir.path() / "disk" / "run").string();
  const Outcome outcome = RunNas(Search(out));
  INFO(outcome.err);
  REQUIRE(outcome.code == 3);
  REQUIRE(Contains(outcome.err, "No space left on device"));
  REQUIRE(Succeeds({"mount", "-o", "remount,size=100m", (dir.path() / "disk").string()}));
  auto again = Search(out);
  again.push_back("--resume");
  REQUIRE(RunNas(again).code == 0);
}

TEST_CASE("a read-only place for the run folder is refused before any work", "[cli]") {
  const nas::TempDir dir;
  const SmallDisk disk(dir.path() / "disk", "1m");
  if (!disk.mounted() || !disk.MakeReadOnly()) {
    WARN("skipped: no right to mount a read-only disk here");
    return;
  }
  const Outcome outcome = RunNas(Search((dir.path() / "disk" / "run").string()));
  INFO(outcome.err);
  REQUIRE(outcome.code == 3);
  REQUIRE(Contains(outcome.err, "disk/run"));
}

TEST_CASE("truncated images are named and skipped; too many of them are refused", "[cli]") {
  const nas::TempDir dir;
  const std::filesystem::path data = dir.path() / "data";
  for (const char* name : {"cats", "dogs"}) {
    nas::test::WriteClass(data, "train", name, /*count=*/60);
    nas::test::WriteClass(data, "val", name, /*count=*/5);
  }
  const auto cut = [&](const std::filesystem::path& file) {
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 3);
  };
  cut(data / "train" / "cats" / "3.jpg");
  auto arguments = Search((dir.path() / "run").string());
  arguments[2] = data.string();
  arguments[6] = "0";
  const Outcome one = RunNas(arguments);
  INFO(one.err);
  REQUIRE(one.code == 0);
  REQUIRE(Contains(one.err, "3.jpg"));

  for (const char* file : {"4.jpg", "5.jpg", "6.jpg"}) cut(data / "train" / "cats" / file);
  arguments[arguments.size() - 1] = (dir.path() / "other").string();
  const Outcome many = RunNas(arguments);
  INFO(many.err);
  REQUIRE(many.code == 3);
  REQUIRE(Contains(many.err, "cats"));
}
