// SPDX-License-Identifier: Apache-2.0
#include "data/augment.h"

#include <cmath>
#include <set>

#include "image_files.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

TEST_CASE("random crops stay inside with area and ratio in their ranges", "[augment]") {
  CounterRng rng(1);
  double area = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const ResizePlan plan = detail::RandomResizedCrop(500, 375, 224, &rng);
    REQUIRE(plan.left >= 0);
    REQUIRE(plan.top >= 0);
    REQUIRE(plan.left + plan.width <= 500);
    REQUIRE(plan.top + plan.height <= 375);
    const double share = static_cast<double>(plan.width) * plan.height / (500.0 * 375.0);
    REQUIRE(share > 0.078);
    REQUIRE(share <= 1.0);
    const double ratio = static_cast<double>(plan.width) / plan.height;
    REQUIRE(ratio > 0.73);
    REQUIRE(ratio < 1.36);
    area += share;
  }
  // The share is uniform in 0.08…1, but a box must fit at its ratio r (log-uniform): s·r ≤ 4/3 and s/r ≤ 3/4.
  double expected = 0;
  double weight = 0;
  for (double s = 0.08; s < 1; s += 0.001) {
    const double low = std::max(0.75, s / 0.75);
    const double fits = std::log(std::min(4.0 / 3.0, 4.0 / 3.0 / s) / low);
    expected += s * fits;
    weight += fits;
  }
  CHECK(area / kDraws == Approx(expected / weight).margin(0.015));
}

TEST_CASE("pictures too narrow for the ratios get the largest central box", "[augment]") {
  CounterRng rng(1);
  const ResizePlan plan = detail::RandomResizedCrop(1000, 10, 224, &rng);
  CHECK(plan.height == 10);
  CHECK(plan.width == 13);
  CHECK(plan.left == (1000 - 13) / 2);
  const ResizePlan one = detail::RandomResizedCrop(1, 1, 224, &rng);
  CHECK(one.width == 1);
  CHECK(one.height == 1);
}

TEST_CASE("the evaluation crop is the centre of the resized picture", "[augment]") {
  const ResizePlan plan = detail::CentreCrop(500, 375, 256, 224);
  CHECK(plan == ResizePlan{0, 0, 500, 375, 341, 256, 58, 16, 224, 224});
  const ResizePlan tall = detail::CentreCrop(375, 500, 256, 224);
  CHECK(tall == ResizePlan{0, 0, 375, 500, 256, 341, 16, 58, 224, 224});
  const ResizePlan same = detail::CentreCrop(32, 32, 32, 32);
  CHECK(same == ResizePlan{0, 0, 32, 32, 32, 32, 0, 0, 32, 32});
}

TEST_CASE("pad and crop moves the picture by up to the padding and fills with black", "[augment]") {
  const Image picture = test::NoisePicture(8, 8, 2);
  std::set<std::pair<int, int>> shifts;
  CounterRng rng(5);
  for (int i = 0; i < 400; ++i) {
    Image out;
    detail::PadAndCrop(View(picture), 1, &rng, &out);
    int found = 0;
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) {
        bool equal = true;
        for (int y = 0; y < 8 && equal; ++y) {
          for (int x = 0; x < 8 && equal; ++x) {
            for (int c = 0; c < 3; ++c) {
              const bool inside = y + dy >= 0 && y + dy < 8 && x + dx >= 0 && x + dx < 8;
              const int expected = inside ? picture.pixels[((y + dy) * 8 + x + dx) * 3 + c] : 0;
              equal = equal && out.pixels[(y * 8 + x) * 3 + c] == expected;
            }
          }
        }
        if (equal) {
          ++found;
          shifts.insert({dx, dy});
        }
      }
    }
    REQUIRE(found == 1);
  }
  CHECK(shifts.size() == 9);
}

TEST_CASE("flipping twice gives the picture back", "[augment]") {
  for (const int width : {1, 2, 7, 8}) {
    const Image picture = test::NoisePicture(width, 3, 1);
    Image flipped = picture;
    detail::FlipHorizontally(&flipped);
    for (int y = 0; y < 3; ++y) {
      for (int x = 0; x < width; ++x) {
        for (int c = 0; c < 3; ++c) {
          REQUIRE(flipped.pixels[(y * width + x) * 3 + c] == picture.pixels[(y * width + width - 1 - x) * 3 + c]);
        }
      }
    }
    detail::FlipHorizontally(&flipped);
    CHECK(flipped == picture);
  }
}

TEST_CASE("colour changes by their definitions", "[augment]") {
  const Image picture = test::NoisePicture(64, 9, 6);
  const auto grey = [](const std::uint8_t* rgb) { return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]; };
  double mean = 0;
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) mean += grey(picture.pixels.data() + i);
  mean /= static_cast<double>(picture.pixels.size()) / 3;
  for (const double factor : {0.5, 0.9, 1.0, 1.2, 1.5}) {
    CAPTURE(factor);
    Image bright = picture;
    Image contrast = picture;
    Image saturated = picture;
    detail::AdjustBrightness(factor, &bright);
    detail::AdjustContrast(factor, &contrast);
    detail::AdjustSaturation(factor, &saturated);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
      const double value = picture.pixels[i];
      const double own_grey = grey(picture.pixels.data() + i / 3 * 3);
      const auto near = [](double actual, double wanted) {
        return std::abs(actual - std::min(std::max(wanted, 0.0), 255.0)) < 1.6;
      };
      REQUIRE(near(bright.pixels[i], value * factor));
      REQUIRE(near(contrast.pixels[i], mean + factor * (value - mean)));
      REQUIRE(near(saturated.pixels[i], own_grey + factor * (value - own_grey)));
    }
    if (factor == 1.0) {
      CHECK(bright == picture);
      CHECK(contrast == picture);
      CHECK(saturated == picture);
    }
  }
}

TEST_CASE("turning the hue by thirds permutes the channels and keeps greys", "[augment]") {
  const Image picture = test::NoisePicture(50, 4, 3);
  Image turned = picture;
  detail::AdjustHue(1.0 / 3.0, &turned);
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) {
    for (int c = 0; c < 3; ++c) {
      REQUIRE(std::abs(turned.pixels[i + (c + 1) % 3] - picture.pixels[i + c]) <= 1);
    }
  }
  Image same = picture;
  detail::AdjustHue(0, &same);
  CHECK(test::LargestDifference(same, picture) <= 1);
  Image grey{1, 1, {90, 90, 90}};
  detail::AdjustHue(0.3, &grey);
  CHECK(grey.pixels == std::vector<std::uint8_t>{90, 90, 90});
}

TEST_CASE("jitter strengths are those of the schedule", "[augment]") {
  const auto normal = detail::JitterFor(Augmentation::kTrain);
  CHECK(normal.brightness == Approx(32.0 / 255.0));
  CHECK(normal.saturation == 0.5);
  CHECK(normal.contrast == 0);
  CHECK(normal.hue == 0);
  const auto strong = detail::JitterFor(Augmentation::kStrong);
  CHECK(strong.brightness == 0.4);
  CHECK(strong.contrast == 0.4);
  CHECK(strong.saturation == 0.4);
  CHECK(strong.hue == 0.1);
  const auto none = detail::JitterFor(Augmentation::kEval);
  CHECK(none.brightness + none.contrast + none.saturation + none.hue == 0);

  Image unchanged = test::NoisePicture(9, 9, 1);
  CounterRng rng(1);
  detail::ColorJitter(none, &rng, &unchanged);
  CHECK(unchanged == test::NoisePicture(9, 9, 1));
}

}  // namespace
}  // namespace nas
