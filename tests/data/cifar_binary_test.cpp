// SPDX-License-Identifier: Apache-2.0
#include "image_files.h"
#include "nas/core/files.h"
#include "nas/data/dataset.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

/// One record: label, then planes whose values tell channel and place.
std::string Record(int label, int salt) {
  std::string record(1, static_cast<char>(label));
  for (int c = 0; c < 3; ++c) {
    for (int p = 0; p < 1024; ++p) record.push_back(static_cast<char>((p * 3 + c * 7 + salt) % 256));
  }
  return record;
}

void WriteCifar(const std::filesystem::path& folder) {
  for (int batch = 1; batch <= 5; ++batch) {
    std::string content;
    for (int i = 0; i < 20; ++i) content += Record(i % 10, batch * 20 + i);
    test::Write(folder / ("data_batch_" + std::to_string(batch) + ".bin"), content);
  }
  test::Write(folder / "test_batch.bin", Record(3, 1) + Record(9, 2));
}

DataSplits Open(const std::string& spec, std::int64_t limit = 0) {
  DataOptions options;
  options.spec = spec;
  options.limit_per_class = limit;
  return OpenData(options);
}

TEST_CASE("CIFAR's binary batches become pictures", "[cifar]") {
  const TempDir folder;
  WriteCifar(folder.path());
  const DataSplits splits = Open("cifar10:" + folder.path().string());
  CHECK(splits.train->size() == 100);
  CHECK(splits.test->size() == 2);
  CHECK(splits.train->classes() == 10);
  CHECK(splits.train->class_names()[9] == "truck");
  CHECK(splits.native_side == 32);
  CHECK(splits.small_images);
  CHECK(splits.notes.empty());
  CHECK(splits.listing_hash.size() == 32);
  CHECK(splits.test->label(1) == 9);
  CHECK(splits.train->label(21) == 1);
  const Image image = splits.train->Get(21);  // second batch, second record
  REQUIRE(image.width == 32);
  for (int p = 0; p < 1024; ++p) {
    for (int c = 0; c < 3; ++c) REQUIRE(image.pixels[3 * p + c] == (p * 3 + c * 7 + 41) % 256);
  }
  CHECK(test::Contains(splits.train->Describe(21), "data_batch_2.bin image 1"));
}

TEST_CASE("CIFAR's folder is found one level up, and the limit keeps the test whole", "[cifar]") {
  const TempDir folder;
  WriteCifar(folder.path() / "cifar-10-batches-bin");
  const DataSplits splits = Open("cifar10:" + folder.path().string(), 4);
  CHECK(splits.train->size() == 40);
  CHECK(splits.test->size() == 2);
}

TEST_CASE("faults of CIFAR files are named", "[cifar]") {
  const TempDir folder;
  const std::string spec = "cifar10:" + folder.path().string();
  CHECK(test::Contains(test::ErrorOf([&] { Open(spec); }).what(), "no data_batch_1.bin in"));
  WriteCifar(folder.path());
  test::Write(folder.path() / "data_batch_3.bin", "short");
  const Error cut = test::ErrorOf([&] { Open(spec); });
  CHECK(cut.kind() == ErrorKind::kInput);
  CHECK(test::Contains(cut.what(), "data_batch_3.bin has 5 bytes"));
  test::Write(folder.path() / "data_batch_3.bin", Record(10, 0));
  CHECK(test::Contains(test::ErrorOf([&] { Open(spec); }).what(), "has label 10"));
  std::filesystem::remove(folder.path() / "data_batch_3.bin");
  CHECK(Open(spec).notes.size() == 1);
  CHECK(test::Contains(test::ErrorOf([&] { Open("cifar10:/nowhere"); }).what(), "no folder /nowhere"));
}

}  // namespace
}  // namespace nas
