// SPDX-License-Identifier: Apache-2.0
#include "data/sample_renderer.h"

#include <cmath>

#include "data/augment.h"
#include "data/cached_dataset.h"
#include "data/resize.h"
#include "image_files.h"
#include "nas/data/transform.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

std::shared_ptr<const Dataset> OnePicture(const Image& image) {
  std::vector<std::vector<std::uint8_t>> blocks = {image.pixels};
  std::vector<detail::CachedDataset::Entry> entries = {{blocks[0].data(), image.width, image.height, 0, "picture"}};
  return std::make_shared<detail::CachedDataset>(std::vector<std::string>{"a", "b"}, std::move(blocks), entries);
}

std::vector<float> Render(const LoaderOptions& options, const Dataset& dataset, std::int64_t epoch = 0) {
  std::vector<float> out(static_cast<std::size_t>(options.resolution) * options.resolution * 3, NAN);
  detail::SampleRenderer::Scratch scratch;
  detail::SampleRenderer(options).Render(dataset, 0, epoch, &scratch, out.data());
  return out;
}

TEST_CASE("preprocessing for export follows the size of the pictures", "[transform]") {
  LoaderOptions options;
  options.resolution = 224;
  const Preprocessing large = PreprocessingFor(options);
  CHECK(large.resize_short == 256);
  CHECK(large.crop == 224);
  CHECK(large.mean == kImageNetMean);
  CHECK(large.std == kImageNetStd);
  for (const auto& [side, resized] :
       {std::pair{112, 128}, std::pair{160, 183}, std::pair{192, 219}, std::pair{96, 110}}) {
    options.resolution = side;
    CHECK(PreprocessingFor(options).resize_short == resized);
  }
  options.small_images = true;
  options.resolution = 32;
  const Preprocessing small = PreprocessingFor(options);
  CHECK(small.resize_short == 32);
  CHECK(small.crop == 32);
  CHECK(small.mean == kCifarMean);
  CHECK(small.std == kCifarStd);
}

TEST_CASE("evaluation is resize, centre crop and normalisation", "[transform]") {
  const Image picture = test::NoisePicture(90, 70, 1);
  const auto dataset = OnePicture(picture);
  LoaderOptions options;
  options.resolution = 56;
  Image expected;
  detail::ResizeImage(View(picture), detail::CentreCrop(90, 70, 64, 56), &expected);
  const std::vector<float> out = Render(options, *dataset);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double value = (expected.pixels[i] / 255.0 - kImageNetMean[i % 3]) / kImageNetStd[i % 3];
    REQUIRE(out[i] == Approx(value).margin(1e-5));
  }
  CHECK(Render(options, *dataset, 1) == out);
}

TEST_CASE("small pictures of the right size are only normalised", "[transform]") {
  const Image picture = test::NoisePicture(32, 32, 1);
  LoaderOptions options;
  options.small_images = true;
  const std::vector<float> out = Render(options, *OnePicture(picture));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double value = (picture.pixels[i] / 255.0 - kCifarMean[i % 3]) / kCifarStd[i % 3];
    REQUIRE(out[i] == Approx(value).margin(1e-5));
  }
  const auto other_size = OnePicture(test::NoisePicture(40, 28, 1));
  for (const float value : Render(options, *other_size)) REQUIRE(std::isfinite(value));
}

TEST_CASE("augmentation is a function of seed, epoch and index", "[transform]") {
  for (const bool small : {false, true}) {
    const auto dataset = OnePicture(test::NoisePicture(small ? 32 : 100, small ? 32 : 80, 1));
    for (const auto augmentation : {Augmentation::kTrain, Augmentation::kStrong}) {
      LoaderOptions options;
      options.small_images = small;
      options.augmentation = augmentation;
      const auto first = Render(options, *dataset, 3);
      CHECK(Render(options, *dataset, 3) == first);
      CHECK(Render(options, *dataset, 4) != first);
      options.seed = 1;
      CHECK(Render(options, *dataset, 3) != first);
    }
  }
}

TEST_CASE("training flips about half of the pictures and shifts them", "[transform]") {
  // Left half black, right half white: the sign of the first moment tells a flip.
  Image halves{32, 32, {}};
  for (int i = 0; i < 32 * 32; ++i) halves.pixels.insert(halves.pixels.end(), 3, i % 32 < 16 ? 50 : 200);
  const auto dataset = OnePicture(halves);
  LoaderOptions options;
  options.small_images = true;
  options.augmentation = Augmentation::kTrain;
  options.color_jitter = false;
  int flipped = 0;
  for (int epoch = 0; epoch < 400; ++epoch) {
    const auto out = Render(options, *dataset, epoch);
    flipped += out[(16 * 32 + 8) * 3] > out[(16 * 32 + 24) * 3] ? 1 : 0;
  }
  CHECK(flipped > 150);
  CHECK(flipped < 250);
}

}  // namespace
}  // namespace nas
