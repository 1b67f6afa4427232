// SPDX-License-Identifier: Apache-2.0
#include "nas/train/checkpoint.h"

#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/expect_error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "support/aten_test.h"

namespace nas {
namespace {

namespace fs = std::filesystem;
using testing::MessageOf;

Checkpoint Make(std::int64_t step) {
  at::manual_seed(static_cast<std::uint64_t>(step));
  Checkpoint checkpoint;
  checkpoint.Add("weights/",
                 {{"a", at::randn({4, 3, 5, 5}).contiguous(at::MemoryFormat::ChannelsLast)}, {"n", at::tensor(step)}});
  checkpoint.Add("momentum/", {{"a", at::randn({4, 3, 5, 5})}});
  checkpoint.state["step"] = step;
  checkpoint.state["third"] = 1.0 / 3;
  return checkpoint;
}

std::int64_t StepOf(const std::optional<Checkpoint>& checkpoint) {
  return checkpoint ? checkpoint->state.at("step").get<std::int64_t>() : -1;
}

void FlipByte(const fs::path& path, std::streamoff from_end) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(-from_end, std::ios::end);
  const char byte = static_cast<char>(file.get() ^ 0x10);
  file.seekp(-from_end, std::ios::end);
  file.put(byte);
}

std::size_t FilesIn(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST_CASE("a checkpoint comes back bit for bit, by prefix") {
  TempDir temp;
  CheckpointStore store(temp.path() / "checkpoints");
  CHECK_FALSE(store.LoadLatest().has_value());
  CHECK(store.Latest().empty());
  const Checkpoint saved = Make(7);
  store.Save(saved, 7);
  const auto loaded = store.LoadLatest();
  REQUIRE(loaded.has_value());
  CHECK(loaded->state == saved.state);
  CHECK(loaded->state.at("third").get<double>() == 1.0 / 3);
  const NamedTensorList weights = loaded->Under("weights/");
  REQUIRE(weights.size() == 2);
  CHECK(weights[0].first == "a");
  CHECK(at::equal(weights[0].second, saved.tensors[0].second));
  CHECK(weights[1].second.item<std::int64_t>() == 7);
  CHECK(loaded->Under("momentum/").size() == 1);
  CHECK(loaded->Under("ema/").empty());
}

TEST_CASE("the last two are kept, in the order of steps and not of names") {
  TempDir temp;
  CheckpointStore store(temp.path());
  for (const std::int64_t step : {8, 9, 10, 100}) store.Save(Make(step), step);
  CHECK(FilesIn(temp.path()) == 2);
  CHECK(store.Latest().filename() == "step-100.safetensors");
  CHECK(StepOf(store.LoadLatest()) == 100);
  fs::remove(store.Latest());
  CHECK(StepOf(store.LoadLatest()) == 10);
}

TEST_CASE("a damaged newest checkpoint falls back to the one before") {
  TempDir temp;
  CheckpointStore store(temp.path());
  store.Save(Make(1), 1);
  store.Save(Make(2), 2);
  const fs::path newest = temp.path() / "step-2.safetensors";
  SECTION("cut short") { fs::resize_file(newest, fs::file_size(newest) / 2); }
  SECTION("empty") { fs::resize_file(newest, 0); }
  SECTION("one bit of a weight flipped") { FlipByte(newest, 100); }
  SECTION("another kind of file") { WriteSafetensors(newest, {{"a", at::zeros({3})}}, {}); }
  CHECK(StepOf(store.LoadLatest()) == 1);
}

TEST_CASE("what is saved after a fall back replaces the abandoned future") {
  TempDir temp;
  CheckpointStore store(temp.path());
  store.Save(Make(1), 1);
  store.Save(Make(9), 9);
  FlipByte(temp.path() / "step-9.safetensors", 100);
  REQUIRE(StepOf(store.LoadLatest()) == 1);
  store.Save(Make(3), 3);
  CHECK(StepOf(store.LoadLatest()) == 3);
  CHECK(store.Latest().filename() == "step-3.safetensors");
  CHECK(FilesIn(temp.path()) == 2);
}

TEST_CASE("when no checkpoint can be read, the error names the file and the way out") {
  TempDir temp;
  CheckpointStore store(temp.path());
  store.Save(Make(1), 1);
  FlipByte(temp.path() / "step-1.safetensors", 50);
  const std::string message = MessageOf(ErrorKind::kInput, [&] { store.LoadLatest(); });
  CHECK(message.find("step-1.safetensors") != std::string::npos);
  CHECK(message.find("start anew") != std::string::npos);
}

/// Limits the size of files this process may write, as a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_CASE("a disk that fills up in the middle is an input error, and the old checkpoint stays") {
  TempDir temp;
  CheckpointStore store(temp.path());
  store.Save(Make(1), 1);
  std::string message;
  {
    const FileSizeLimit limit(2048);
    message = MessageOf(ErrorKind::kInput, [&] { store.Save(Make(2), 2); });
  }
  CHECK(message.find(temp.path().string()) != std::string::npos);
  CHECK(FilesIn(temp.path()) == 1);
  CHECK(StepOf(store.LoadLatest()) == 1);
}

TEST_CASE("a place that cannot be written is an input error naming it") {
  TempDir temp;
  std::ofstream(temp.path() / "file") << "x";
  CheckpointStore store(temp.path() / "file" / "checkpoints");
  const std::string message = MessageOf(ErrorKind::kInput, [&] { store.Save(Make(1), 1); });
  CHECK(message.find("file/checkpoints") != std::string::npos);
}

}  // namespace
}  // namespace nas
