// SPDX-License-Identifier: Apache-2.0
#include "cifar_binary.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "cached_dataset.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/hash.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 32;
constexpr std::size_t kPlane = kSide * kSide;
constexpr std::size_t kPixels = 3 * kPlane;
constexpr std::size_t kRecord = 1 + kPixels;
constexpr int kBatches = 5;

std::vector<std::string> ClassNames(const fs::path& folder) {
  std::vector<std::string> names;
  if (fs::exists(folder / "batches.meta.txt")) {
    for (const std::string& line : Split(ReadFile(folder / "batches.meta.txt"), '\n')) {
      if (!Trim(line).empty()) names.push_back(Trim(line));
    }
  }
  if (names.size() == 10) return names;
  return {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
}

/// Appends the records of one file, planes turned into interleaved pixels.
void AppendBatch(const fs::path& path, std::size_t classes, std::vector<std::uint8_t>* pixels,
                 std::vector<CachedDataset::Entry>* entries) {
  const std::string content = ReadFile(path);
  if (content.empty() || content.size() % kRecord != 0) {
    ThrowInput(StrCat(path.string(), " has ", content.size(), " bytes, not a multiple of ", kRecord,
                      "; unpack the binary version of CIFAR-10 again"));
  }
  const auto* record = reinterpret_cast<const std::uint8_t*>(content.data());
  const std::size_t count = content.size() / kRecord;
  pixels->reserve(pixels->size() + count * kPixels);
  for (std::size_t i = 0; i < count; ++i, record += kRecord) {
    if (record[0] >= classes) {
      ThrowInput(StrCat(path.string(), ": image ", i, " has label ", static_cast<int>(record[0]),
                        ", CIFAR-10 has 0 to 9; unpack the binary version again"));
    }
    for (std::size_t p = 0; p < kPlane; ++p) {
      for (std::size_t c = 0; c < 3; ++c) pixels->push_back(record[1 + c * kPlane + p]);
    }
    entries->push_back({nullptr, kSide, kSide, record[0], StrCat(path.string(), " image ", i)});
  }
}

std::shared_ptr<const Dataset> ReadBatches(const std::vector<fs::path>& paths, const std::vector<std::string>& names) {
  std::vector<std::vector<std::uint8_t>> blocks(1);
  std::vector<CachedDataset::Entry> entries;
  for (const fs::path& path : paths) AppendBatch(path, names.size(), &blocks[0], &entries);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].pixels = blocks[0].data() + i * kPixels;
  return std::make_shared<CachedDataset>(names, std::move(blocks), std::move(entries));
}

}  // namespace

DataSplits OpenCifarBinary(const std::string& given) {
  fs::path folder = given;
  if (fs::is_directory(folder / "cifar-10-batches-bin")) folder /= "cifar-10-batches-bin";
  if (!fs::is_directory(folder)) {
    ThrowInput(StrCat("no folder ", given, "; give the folder with data_batch_1.bin … test_batch.bin"));
  }
  std::vector<fs::path> train;
  for (int i = 1; i <= kBatches; ++i) {
    const fs::path path = folder / StrCat("data_batch_", i, ".bin");
    if (fs::exists(path)) train.push_back(path);
  }
  const fs::path test = folder / "test_batch.bin";
  if (train.empty() || !fs::exists(test)) {
    ThrowInput(StrCat("no ", train.empty() ? "data_batch_1.bin" : "test_batch.bin", " in ", folder.string(),
                      "; give the folder of the binary version of CIFAR-10 (an image folder goes without cifar10:)"));
  }
  const std::vector<std::string> names = ClassNames(folder);
  DataSplits splits;
  splits.train = ReadBatches(train, names);
  splits.test = ReadBatches({test}, names);
  splits.native_side = kSide;
  splits.small_images = true;
  if (static_cast<int>(train.size()) < kBatches) {
    splits.notes.push_back(
        StrCat("only ", train.size(), " of ", kBatches, " training batches are in ", folder.string()));
  }
  std::string listing;
  train.push_back(test);
  for (const fs::path& path : train) listing += StrCat(path.filename().string(), "\t", fs::file_size(path), "\n");
  splits.listing_hash = Hash128Hex(listing);
  return splits;
}

}  // namespace nas::detail
