// SPDX-License-Identifier: Apache-2.0
#include "nas/data/loader.h"

#include <atomic>
#include <map>
#include <set>

#include "image_files.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "support/torch_test.h"

namespace nas {
namespace {

/// Pictures of one colour that tells the index; labels are index mod 7. Index `broken` cannot be read.
class ColouredDataset : public Dataset {
 public:
  explicit ColouredDataset(std::int64_t count, std::int64_t broken = -1) : count_(count), broken_(broken) {
    for (int i = 0; i < 7; ++i) names_.push_back(StrCat("c", i));
  }
  std::int64_t size() const override { return count_; }
  const std::vector<std::string>& class_names() const override { return names_; }
  int label(std::int64_t index) const override { return static_cast<int>(index % 7); }
  Image Get(std::int64_t index) const override {
    ++reads;
    if (index == broken_) ThrowInput(StrCat("picture ", index, " is broken; remove it"));
    Image image = test::SmoothPicture(32, 32, static_cast<int>(index));
    image.pixels[0] = static_cast<std::uint8_t>(index % 256);
    return image;
  }
  std::string Describe(std::int64_t index) const override { return StrCat("picture ", index); }

  mutable std::atomic<std::int64_t> reads{0};

 private:
  std::int64_t count_;
  std::int64_t broken_;
  std::vector<std::string> names_;
};

LoaderOptions TrainOptions(int threads) {
  LoaderOptions options;
  options.batch = 16;
  options.resolution = 32;
  options.small_images = true;
  options.augmentation = Augmentation::kTrain;
  options.shuffle = true;
  options.seed = 5;
  options.threads = threads;
  return options;
}

struct Epoch {
  std::vector<at::Tensor> images;
  std::vector<at::Tensor> labels;
};

Epoch ReadEpoch(Loader* loader) {
  Epoch epoch;
  Batch batch;
  while (loader->Next(&batch)) {
    epoch.images.push_back(batch.images.clone());
    epoch.labels.push_back(batch.labels.clone());
  }
  return epoch;
}

bool Same(const Epoch& a, const Epoch& b) {
  if (a.images.size() != b.images.size()) return false;
  for (std::size_t i = 0; i < a.images.size(); ++i) {
    if (!at::equal(a.images[i], b.images[i]) || !at::equal(a.labels[i], b.labels[i])) return false;
  }
  return true;
}

/// Index of each picture of an unaugmented batch, read from its first pixel.
std::vector<std::int64_t> IndicesOf(const Batch& batch) {
  const auto first = batch.images.select(3, 0).select(2, 0).select(1, 0) * (0.2470 * 255) + 0.4914 * 255;
  const auto rounded = first.round().to(at::kLong).contiguous();
  return {rounded.data_ptr<std::int64_t>(), rounded.data_ptr<std::int64_t>() + rounded.numel()};
}

TEST_CASE("batches have the promised shape, layout and labels", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(40);
  LoaderOptions options = TrainOptions(2);
  options.augmentation = Augmentation::kEval;
  options.shuffle = false;
  Loader loader(dataset, options);
  CHECK(loader.batches_per_epoch() == 3);
  CHECK(loader.images_per_epoch() == 40);
  std::int64_t seen = 0;
  Batch batch;
  while (loader.Next(&batch)) {
    const std::int64_t n = std::min<std::int64_t>(16, 40 - seen);
    CHECK(batch.images.sizes() == at::IntArrayRef({n, 3, 32, 32}));
    CHECK(batch.images.scalar_type() == at::kFloat);
    CHECK(batch.images.is_contiguous(at::MemoryFormat::ChannelsLast));
    CHECK(batch.labels.sizes() == at::IntArrayRef({n}));
    CHECK(batch.labels.scalar_type() == at::kLong);
    const auto indices = IndicesOf(batch);
    for (std::int64_t i = 0; i < n; ++i) {
      CHECK(indices[i] == seen + i);
      CHECK(batch.labels[i].item<std::int64_t>() == (seen + i) % 7);
    }
    seen += n;
  }
  CHECK(seen == 40);
  CHECK_FALSE(loader.Next(&batch));
  CHECK(loader.wait_seconds() >= 0);
}

TEST_CASE("the same bytes for any number of threads and any prefetch", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(75);
  Loader inline_loader(dataset, TrainOptions(0));
  const Epoch expected = ReadEpoch(&inline_loader);
  REQUIRE(expected.images.size() == 5);
  for (const int threads : {1, 2, 5}) {
    for (const int prefetch : {1, 3, 9}) {
      CAPTURE(threads, prefetch);
      LoaderOptions options = TrainOptions(threads);
      options.prefetch = prefetch;
      Loader loader(dataset, options);
      CHECK(Same(ReadEpoch(&loader), expected));
    }
  }
}

TEST_CASE("each epoch has every image once, in an order of its own", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(100);
  LoaderOptions options = TrainOptions(2);
  options.augmentation = Augmentation::kEval;
  Loader loader(dataset, options);
  std::vector<std::vector<std::int64_t>> orders;
  for (int epoch = 0; epoch < 3; ++epoch) {
    loader.Seek(epoch, 0);
    std::vector<std::int64_t> order;
    Batch batch;
    while (loader.Next(&batch)) {
      for (const auto i : IndicesOf(batch)) order.push_back(i);
    }
    CHECK(std::set<std::int64_t>(order.begin(), order.end()).size() == 100);
    CHECK(order.size() == 100);
    orders.push_back(order);
  }
  CHECK(orders[0] != orders[1]);
  CHECK(orders[1] != orders[2]);
}

TEST_CASE("seeking gives what reading on would have given", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(70);
  Loader straight(dataset, TrainOptions(2));
  std::vector<Epoch> epochs;
  for (int epoch = 0; epoch < 3; ++epoch) {
    straight.Seek(epoch, 0);
    epochs.push_back(ReadEpoch(&straight));
  }
  CHECK_FALSE(Same(epochs[0], epochs[1]));
  for (const int threads : {0, 2}) {
    Loader loader(dataset, TrainOptions(threads));
    Batch batch;
    for (const auto& [epoch, start] : {std::pair{2, 3}, std::pair{0, 1}, std::pair{1, 0}, std::pair{1, 4}}) {
      CAPTURE(threads, epoch, start);
      loader.Seek(epoch, start);
      for (std::size_t b = start; b < epochs[epoch].images.size(); ++b) {
        REQUIRE(loader.Next(&batch));
        CHECK(at::equal(batch.images, epochs[epoch].images[b]));
        CHECK(at::equal(batch.labels, epochs[epoch].labels[b]));
      }
      CHECK_FALSE(loader.Next(&batch));
    }
    loader.Seek(0, 5);
    CHECK_FALSE(loader.Next(&batch));
    CHECK_THROWS_AS(loader.Seek(0, 6), Error);
    CHECK_THROWS_AS(loader.Seek(-1, 0), Error);
  }
}

TEST_CASE("seeking costs no decoding", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(70);
  Loader loader(dataset, TrainOptions(2));
  loader.Seek(5, 2);
  loader.Seek(3, 1);
  CHECK(dataset->reads == 0);
}

TEST_CASE("an incomplete last batch is dropped on request", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(40);
  LoaderOptions options = TrainOptions(1);
  options.drop_last = true;
  Loader loader(dataset, options);
  CHECK(loader.batches_per_epoch() == 2);
  CHECK(loader.images_per_epoch() == 32);
  CHECK(ReadEpoch(&loader).images.size() == 2);
  options.batch = 41;
  Loader none(dataset, options);
  Batch batch;
  CHECK(none.batches_per_epoch() == 0);
  CHECK_FALSE(none.Next(&batch));
}

TEST_CASE("an evaluation reads no image twice", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(64);
  LoaderOptions options = TrainOptions(2);
  options.augmentation = Augmentation::kEval;
  options.shuffle = false;
  {
    Loader loader(dataset, options);
    CHECK(ReadEpoch(&loader).images.size() == 4);
  }
  CHECK(dataset->reads == 64);
}

TEST_CASE("no more batches than asked for are made ahead", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(16 * 50);
  LoaderOptions options = TrainOptions(2);
  options.prefetch = 2;
  {
    Loader loader(dataset, options);
    Batch batch;
    REQUIRE(loader.Next(&batch));
  }
  CHECK(dataset->reads <= 16 * 3);
}

TEST_CASE("batches that are kept do not change under the caller", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(160);
  Loader loader(dataset, TrainOptions(2));
  std::vector<Batch> kept;
  std::vector<at::Tensor> copies;
  std::vector<at::Tensor> views;
  Batch batch;
  while (loader.Next(&batch)) {
    copies.push_back(batch.images.clone());
    if (kept.size() < 4) {
      kept.push_back(batch);
    } else {
      views.push_back(batch.images.slice(0, 0, 2));  // a view keeps the memory as well
    }
  }
  batch = {};
  for (std::size_t i = 0; i < kept.size(); ++i) CHECK(at::equal(kept[i].images, copies[i]));
  for (std::size_t i = 0; i < views.size(); ++i) {
    CHECK(at::equal(views[i], copies[kept.size() + i].slice(0, 0, 2)));
  }
}

TEST_CASE("memory of batches that nobody holds is used again", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(16 * 30);
  Loader loader(dataset, TrainOptions(1));
  std::set<const void*> addresses;
  Batch batch;
  while (loader.Next(&batch)) addresses.insert(batch.images.data_ptr());
  CHECK(addresses.size() <= 7);
}

TEST_CASE("what goes wrong in a thread is told by Next, and the rest can be read", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(64, /*broken=*/35);
  for (const int threads : {0, 1, 3}) {
    CAPTURE(threads);
    LoaderOptions options = TrainOptions(threads);
    options.shuffle = false;
    Loader loader(dataset, options);
    Batch batch;
    CHECK(loader.Next(&batch));
    CHECK(loader.Next(&batch));
    for (int i = 0; i < 2; ++i) {
      const Error error = test::ErrorOf([&] { loader.Next(&batch); });
      CHECK(error.kind() == ErrorKind::kInput);
      CHECK(test::Contains(error.what(), "picture 35 is broken"));
    }
    loader.Seek(0, 3);
    CHECK(loader.Next(&batch));
    CHECK_FALSE(loader.Next(&batch));
  }
}

TEST_CASE("options out of range and empty sets are refused", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(4);
  LoaderOptions options;
  options.batch = 0;
  const Error error = test::ErrorOf([&] { Loader(dataset, options); });
  CHECK(error.kind() == ErrorKind::kUsage);
  CHECK(test::Contains(error.what(), "batch is 0"));
  options = {};
  options.resolution = 0;
  CHECK_THROWS_AS(Loader(dataset, options), Error);
  options = {};
  options.threads = -1;
  CHECK_THROWS_AS(Loader(dataset, options), Error);
  const auto empty = std::make_shared<ColouredDataset>(0);
  CHECK(test::ErrorOf([&] { Loader(empty, {}); }).kind() == ErrorKind::kInput);
}

TEST_CASE("loaders can be left at any moment", "[loader]") {
  const auto dataset = std::make_shared<ColouredDataset>(200);
  for (int taken = 0; taken < 6; ++taken) {
    Loader loader(dataset, TrainOptions(3));
    Batch batch;
    for (int i = 0; i < taken; ++i) REQUIRE(loader.Next(&batch));
  }
}

}  // namespace
}  // namespace nas
