// SPDX-License-Identifier: Apache-2.0
#include "nas/data/pack.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include "data/pack_index.h"
#include "data/sample_renderer.h"
#include "image_files.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/data/check.h"
#include "nas/data/dataset.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

namespace fs = std::filesystem;
using test::Contains;

/// A folder of odd and even images, with a pack beside it that does not exist yet.
struct Places {
  TempDir folder;
  std::string source = (folder.path() / "photos").string();
  std::string pack = (folder.path() / "photos.pack").string();

  void WriteImages(const std::string& test_split, int per_class = 6) const {
    int variant = 0;
    for (const char* name : {"ant", "bee", "cow"}) {
      for (const std::string& split : {std::string("train"), test_split}) {
        if (split.empty()) continue;
        fs::create_directories(fs::path(source) / split / name);
        for (int i = 0; i < per_class; ++i, ++variant) {
          const Image picture = test::SmoothPicture(40 + variant % 7, 30 + variant % 5, variant);
          const fs::path path = fs::path(source) / split / name / StrCat(i);
          if (i % 3 == 2) {
            test::Write(path.string() + ".png", test::EncodePng(picture));
          } else {
            test::Write(path.string() + ".jpg", test::EncodeJpeg(picture, {.progressive = i % 3 == 1}));
          }
        }
      }
    }
  }

  PackOptions Options(std::int64_t shard_bytes = 4000) const {
    PackOptions options;
    options.source = source;
    options.out = pack;
    options.shard_bytes = shard_bytes;
    options.threads = 2;
    return options;
  }
};

DataSplits Open(const std::string& spec, bool kept, std::int64_t limit = 0) {
  DataOptions options;
  options.spec = spec;
  options.seed = 3;
  options.threads = 2;
  options.limit_per_class = limit;
  if (!kept) options.decoded_limit_bytes = 0;
  return OpenData(options);
}

/// Labels and every bit of what the network would see, over two epochs.
bool SameSamples(const Dataset& a, const Dataset& b) {
  if (a.size() != b.size() || a.class_names() != b.class_names()) return false;
  LoaderOptions options;
  options.resolution = 24;
  options.augmentation = Augmentation::kTrain;
  const detail::SampleRenderer renderer(options);
  detail::SampleRenderer::Scratch scratch;
  std::vector<float> x(3 * 24 * 24), y(x.size());
  for (std::int64_t i = 0; i < a.size(); ++i) {
    if (a.label(i) != b.label(i) || a.Get(i) != b.Get(i)) return false;
    for (const std::int64_t epoch : {0, 1}) {
      renderer.Render(a, i, epoch, &scratch, x.data());
      renderer.Render(b, i, epoch, &scratch, y.data());
      if (x != y) return false;
    }
  }
  return true;
}

void CheckSameSplits(const DataSplits& folder, const DataSplits& pack) {
  CHECK(SameSamples(*folder.train, *pack.train));
  CHECK(SameSamples(*folder.test, *pack.test));
  CHECK(folder.listing_hash == pack.listing_hash);
  CHECK(folder.native_side == pack.native_side);
  CHECK(folder.small_images == pack.small_images);
  CHECK(folder.notes == pack.notes);
}

/// The bytes of every file of a folder but hidden ones, by name.
std::map<std::string, std::string> Content(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files[entry.path().filename().string()] = ReadFile(entry.path());
  }
  return files;
}

void FlipByte(const fs::path& path, std::int64_t at) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(at);
  const char byte = static_cast<char>(file.get() ^ 0x10);
  file.seekp(at);
  file.put(byte);
}

std::string RefusalOf(const std::string& spec, bool kept) {
  const Error error = test::ErrorOf([&] {
    const DataSplits splits = Open(spec, kept);
    for (std::int64_t i = 0; i < splits.train->size(); ++i) splits.train->Get(i);
    for (std::int64_t i = 0; i < splits.test->size(); ++i) splits.test->Get(i);
  });
  CHECK(error.kind() == ErrorKind::kInput);
  return error.what();
}

TEST_CASE("a pack gives the samples of its folder bit for bit", "[pack]") {
  const Places places;
  const std::string split = GENERATE("", "test", "val");
  places.WriteImages(split);
  // A transparent PNG under a JPEG's name: notes must be the same.
  test::Write(fs::path(places.source) / "train/bee/odd.jpg",
              test::EncodePng(test::SmoothPicture(33, 44, 9), test::PngColour::kRgba));
  const PackResult result = PackData(places.Options());
  CHECK(result.shards > 2);
  CHECK(result.unusable == 0);
  CHECK(result.resumed == 0);
  for (const bool kept : {true, false}) {
    CheckSameSplits(Open(places.source, kept), Open(places.pack, kept));
    CheckSameSplits(Open(places.source, kept, 4), Open(places.pack, kept, 4));
  }
  CHECK(Open(places.pack, false).train->Borrow(0).pixels == nullptr);
}

TEST_CASE("files that are no use are counted in a pack as in its folder", "[pack]") {
  const Places places;
  places.WriteImages("test", 60);
  test::Write(fs::path(places.source) / "train/ant/none.jpg", "");
  const std::string whole = test::EncodeJpeg(test::SmoothPicture(40, 40, 1));
  test::Write(fs::path(places.source) / "train/cow/half.jpg", whole.substr(0, whole.size() / 2));
  fs::create_symlink(fs::path(places.source) / "nowhere.jpg", fs::path(places.source) / "test/bee/gone.jpg");
  CHECK(PackData(places.Options()).unusable == 3);
  for (const bool kept : {true, false}) {
    CheckSameSplits(Open(places.source, kept), Open(places.pack, kept));
    CheckSameSplits(Open(places.source, kept, 50), Open(places.pack, kept, 50));
  }
  const DataReport folder = CheckData(places.source, 2), pack = CheckData(places.pack, 2);
  CHECK(folder.bad_by_kind == pack.bad_by_kind);
  CHECK(folder.converted_by_kind == pack.converted_by_kind);
  CHECK(folder.decoded_bytes == pack.decoded_bytes);
  CHECK(folder.train_images == pack.train_images);
  CHECK(folder.pack_shards == 0);
  CHECK(pack.pack_shards > 0);
  CHECK(folder.listing_hash == pack.listing_hash);
}

TEST_CASE("the same folder gives the same pack, whatever the threads and interruptions", "[pack]") {
  const Places places;
  places.WriteImages("test");
  PackData(places.Options());
  const auto whole = Content(places.pack);
  CHECK(whole.count(detail::kPackIndexName) == 1);
  CHECK(whole.count(detail::kPartialIndexName) == 0);

  PackOptions again = places.Options();
  again.out = (places.folder.path() / "other").string();
  again.threads = 1;
  const int last = GENERATE(0, 1, 2, 5);
  // Stopped behind `last` shards: a stop flag that is set once they are there.
  StopFlag stop;
  again.stop = &stop;
  if (last == 0) stop.Request();
  if (last == 0) {
    const Error stopped = test::ErrorOf([&] { PackData(again); });
    CHECK(stopped.kind() == ErrorKind::kCheckpointed);
  } else {
    // Killed: what a process leaves that ends between two steps.
    PackData(again);
    detail::PackIndex index = detail::DecodePackIndex(whole.at(detail::kPackIndexName), "index");
    REQUIRE(static_cast<int>(index.shard_sizes.size()) > last);
    index.shard_sizes.resize(static_cast<std::size_t>(last));
    while (index.records.back().shard >= static_cast<std::uint32_t>(last)) index.records.pop_back();
    fs::remove(fs::path(again.out) / detail::kPackIndexName);
    WriteFileAtomic(fs::path(again.out) / detail::kPartialIndexName, detail::EncodePackIndex(index));
    // The next shard may be there, whole or half.
    FlipByte(fs::path(again.out) / detail::ShardName(static_cast<std::size_t>(last)), 5);
    test::Write(fs::path(again.out) / "shard-00009.bin.77.tmp", "half");
  }
  const Error unfinished = test::ErrorOf([&] { Open(again.out, true); });
  CHECK(unfinished.kind() == ErrorKind::kInput);
  CHECK(Contains(unfinished.what(), "not finished"));

  again.stop = nullptr;
  const PackResult result = PackData(again);
  CHECK((result.resumed > 0) == (last > 0));
  CHECK(Content(again.out) == whole);
  // Nothing is left to do.
  CHECK(PackData(again).resumed == result.images);
  CHECK(Content(again.out) == whole);
}

TEST_CASE("damage of a pack is named in one sentence", "[pack]") {
  const Places places;
  places.WriteImages("test");
  PackData(places.Options());
  const std::string second = places.pack + "/shard-00001.bin";
  const std::string index = places.pack + "/pack.index";
  for (const bool kept : {true, false}) {
    SECTION(kept ? "kept: a flipped byte" : "on demand: a flipped byte") {
      FlipByte(second, 100);
      const std::string message = RefusalOf(places.pack, kept);
      CHECK(Contains(message, second));
      CHECK(Contains(message, "the checksum of train/"));
      CHECK(Contains(message, "--force"));
      CHECK(Contains(test::ErrorOf([&] { CheckData(places.pack, 1); }).what(), "checksum"));
    }
    SECTION(kept ? "kept: a truncated shard" : "on demand: a truncated shard") {
      const auto size = fs::file_size(second);
      fs::resize_file(second, size - 1);
      CHECK(Contains(RefusalOf(places.pack, kept), StrCat(second, " is damaged: it has ", size - 1, " bytes")));
    }
    SECTION(kept ? "kept: a missing shard" : "on demand: a missing shard") {
      fs::remove(second);
      CHECK(Contains(RefusalOf(places.pack, kept), second));
    }
    SECTION(kept ? "kept: a damaged index" : "on demand: a damaged index") {
      FlipByte(index, 60);
      CHECK(Contains(RefusalOf(places.pack, kept), index + " is damaged: its checksum is wrong"));
    }
    SECTION(kept ? "kept: a truncated index" : "on demand: a truncated index") {
      fs::resize_file(index, fs::file_size(index) / 2);
      CHECK(Contains(RefusalOf(places.pack, kept), index + " is damaged: it has"));
    }
  }
  SECTION("cut off while open") {
    const DataSplits splits = Open(places.pack, false);
    fs::resize_file(places.pack + "/shard-00000.bin", 10);
    CHECK(Contains(test::ErrorOf([&] { splits.train->Get(0); }).what(), "cut off"));
  }
}

TEST_CASE("no damaged or made-up index is taken for a good one", "[pack]") {
  const Places places;
  places.WriteImages("test", 3);
  PackData(places.Options());
  const std::string good = ReadFile(places.pack + "/pack.index");
  const detail::PackIndex index = detail::DecodePackIndex(good, "index");
  CHECK(detail::EncodePackIndex(index) == good);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x41);
    CHECK_THROWS_AS(detail::DecodePackIndex(bad, "index"), Error);
    CHECK_THROWS_AS(detail::DecodePackIndex(good.substr(0, i), "index"), Error);
  }
  const auto refused = [&](const std::function<void(detail::PackIndex*)>& change) {
    detail::PackIndex changed = index;
    change(&changed);
    return test::ErrorOf([&] { detail::DecodePackIndex(detail::EncodePackIndex(changed), "index"); }).what();
  };
  CHECK(Contains(refused([](auto* i) { i->records[1].label = 3; }), "class 3 of 3"));
  CHECK(Contains(refused([](auto* i) { i->records[1].label = -1; }), "class"));
  CHECK(Contains(refused([](auto* i) { i->records[1].shard = 99; }), "in shard 99"));
  CHECK(Contains(refused([](auto* i) { i->records[1].offset = std::int64_t{1} << 60; }), "beyond the end"));
  CHECK(Contains(refused([](auto* i) { i->records[1].offset = -1; }), "an offset is -1"));
  CHECK(Contains(refused([](auto* i) { i->records[1].bytes = std::int64_t{1} << 62; }), "beyond the end"));
  CHECK(Contains(refused([](auto* i) { i->records[1].bytes = 0; }), "has no bytes"));
  CHECK(Contains(refused([](auto* i) { i->records[1].examined.info.width = 1 << 30; }), "pixels"));
  CHECK(Contains(refused([](auto* i) { i->train_records = 1000; }), "more training images"));
  CHECK(Contains(refused([](auto* i) { i->total_records = 1, i->train_records = 0; }), "more records"));
}

TEST_CASE("packing refuses what it must not touch", "[pack]") {
  const Places places;
  places.WriteImages("test", 3);
  const auto refused = [](const PackOptions& options) {
    const Error error = test::ErrorOf([&] { PackData(options); });
    CHECK(error.kind() == ErrorKind::kInput);
    return std::string(error.what());
  };
  PackOptions options = places.Options();
  options.source = (places.folder.path() / "missing").string();
  CHECK(Contains(refused(options), "no folder"));
  options.source = "demo";
  CHECK(Contains(refused(options), "demo is no folder"));

  options = places.Options();
  options.out = places.source + "/train/pack";
  CHECK(Contains(refused(options), "would lie in the folder"));
  CHECK_FALSE(fs::exists(options.out));

  test::Write(fs::path(places.pack) / "thesis.txt", "mine");
  CHECK(Contains(refused(places.Options()), "holds other files"));
  options = places.Options();
  options.force = true;
  CHECK(Contains(refused(options), "holds other files"));
  CHECK(ReadFile(places.pack + "/thesis.txt") == "mine");
  fs::remove_all(places.pack);

  PackData(places.Options());
  PackOptions packed = places.Options();
  packed.source = places.pack;
  packed.out = places.pack + "2";
  CHECK(Contains(refused(packed), "is a pack already"));

  // The folder has changed since: the old pack stays until it is said to go.
  test::Write(fs::path(places.source) / "train/ant/new.jpg", test::EncodeJpeg(test::SmoothPicture(30, 30, 2)));
  const auto before = Content(places.pack);
  CHECK(Contains(refused(places.Options()), "--force"));
  CHECK(Content(places.pack) == before);
  options = places.Options();
  options.force = true;
  CHECK(PackData(options).resumed == 0);
  CheckSameSplits(Open(places.source, true), Open(places.pack, true));

  // More than 1 % of no use: no pack comes of it, and it cannot be opened.
  test::Write(fs::path(places.source) / "train/ant/void.jpg", "");
  CHECK(Contains(refused(options), "more than 1 %"));
  CHECK(Contains(RefusalOf(places.pack, true), "not finished"));
}

}  // namespace
}  // namespace nas
