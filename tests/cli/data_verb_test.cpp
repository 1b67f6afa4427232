// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>

#include "data/image_files.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "program.h"
#include "support/catch_compat.h"

namespace fs = std::filesystem;
using nas::ReadFile;
using nas::StrCat;
using nas::TempDir;
using nas::test::Contains;
using nas::test::Outcome;
using nas::test::RunNas;

namespace {

/// One refusal: nothing on stdout, one line on stderr that says these words.
void CheckRefused(const Outcome& outcome, int code, const std::vector<std::string>& words) {
  CHECK(outcome.code == code);
  CHECK(outcome.out.empty());
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  for (const std::string& word : words) {
    INFO(outcome.err);
    CHECK(Contains(outcome.err, word));
  }
}

}  // namespace

TEST_CASE("data pack: what is trained from the pack is what is trained from the folder", "[cli][data]") {
  const TempDir folder;
  const std::string photos = folder.path() / "photos", packed = folder.path() / "photos.pack";
  for (const char* name : {"ant", "bee", "cow"}) {
    nas::test::WriteClass(photos, "train", name, 12, 32);
    nas::test::WriteClass(photos, "val", name, 4, 32);
  }
  const auto result = RunNas({"data", "pack", photos, packed, "--shard-size", "4kB", "--json"}).json();
  CHECK(result["images"] == 48);
  CHECK(result["shards"] > 3);
  CHECK(result["resumed"] == 0);
  CHECK(RunNas({"data", "pack", photos, packed, "--shard-size", "4kB", "--json"}).json()["resumed"] == 48);

  const auto check = RunNas({"data", "check", packed, "--json"}).json();
  CHECK(check["pack"]["shards"] == result["shards"]);
  CHECK(check["train_images"] == 36);
  CHECK(check["listing_hash"] == RunNas({"data", "check", photos, "--json"}).json()["listing_hash"]);
  CHECK(Contains(RunNas({"data", "check", packed}).out, "packed: "));

  const std::string arch = folder.path() / "arch.json";
  nas::test::Write(arch, RunNas({"space", "sample", "--space", "tiny", "-n", "1"}).out);
  const auto train = [&](const std::string& data, const std::string& name) {
    const std::string out = folder.path() / name;
    const Outcome outcome = RunNas(
        {"train", "--arch", arch, "--data", data, "--epochs", "2", "--batch", "8", "--out", out, "--device", "cpu"});
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    // Behind the header, which says where the images lie.
    const std::string bytes = ReadFile(fs::path(out) / "weights.safetensors");
    std::uint64_t header = 0;
    REQUIRE(bytes.size() > sizeof header);
    std::memcpy(&header, bytes.data(), sizeof header);
    return bytes.substr(sizeof header + header);
  };
  const bool same = train(photos, "a") == train(packed, "b");  // not a comparison that prints them
  CHECK(same);

  // Damage.
  const std::string shard = fs::path(packed) / "shard-00002.bin";
  std::string bytes = ReadFile(shard);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  nas::test::Write(shard, bytes);
  CheckRefused(RunNas({"data", "check", packed}), 3, {shard, "checksum"});
  CheckRefused(RunNas({"search", "--data", packed, "--dry-run", "--target", "macs=50%"}), 3, {shard, "checksum"});
  fs::resize_file(shard, 10);
  CheckRefused(RunNas({"search", "--data", packed, "--dry-run", "--target", "macs=50%"}), 3, {shard, "has 10 bytes"});
}

TEST_CASE("data pack refuses wrong calls in one sentence", "[cli][data]") {
  const TempDir folder;
  const std::string out = folder.path() / "out";
  CheckRefused(RunNas({"data", "pack", "photos"}), 2, {"two places"});
  CheckRefused(RunNas({"data", "pack", folder.path() / "none", out}), 3, {"none"});
  CheckRefused(RunNas({"data", "pack", "demo", out}), 3, {"demo"});
  CheckRefused(RunNas({"data", "pack", "photos", out, "--shard-size", "100"}), 2, {"100"});
}

TEST_CASE("a supernet is judged on images of all classes, though folders list one after the other", "[cli][data]") {
  const TempDir folder;
  const fs::path photos = folder.path() / "photos";
  const auto colours = [&](const std::string& split, int count) {
    for (int label = 0; label < 3; ++label) {
      for (int i = 0; i < count; ++i) {
        nas::Image image = nas::test::SmoothPicture(32, 32, i);
        for (std::size_t byte = 0; byte < image.pixels.size(); ++byte) {
          image.pixels[byte] = static_cast<std::uint8_t>(image.pixels[byte] / 4 +
                                                         (byte % 3 == static_cast<std::size_t>(label) ? 150 : 0));
        }
        nas::test::Write(photos / split / StrCat("colour", label) / StrCat(i, ".jpg"), nas::test::EncodeJpeg(image));
      }
    }
  };
  colours("train", 160);
  colours("val", 20);
  const std::string out = folder.path() / "run";
  const Outcome found = RunNas({"search", "--space", "tiny", "--data", photos, "--target", "macs=60%", "--epochs", "6",
                                "--out", out, "--device", "cpu", "--json"});
  INFO(found.err);
  REQUIRE(found.code == 0);
  const std::string code = found.json()["targets"][0]["selected"]["code"];
  const auto top1 = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command{"eval", "--supernet", out, "--archs", "-"};
    command.insert(command.end(), more.begin(), more.end());
    return RunNas(command, code + "\n").json()["top1"].get<double>();
  };
  CHECK(top1({}) > 0.9);
  CHECK(top1({"--carve-out", "48"}) > 0.75);
}
