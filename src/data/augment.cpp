// SPDX-License-Identifier: Apache-2.0
#include "augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "vector_kernels.h"

namespace nas::detail {
namespace {

constexpr double kSmallestArea = 0.08;
constexpr double kWidestRatio = 4.0 / 3.0;
constexpr int kCropTries = 10;

constexpr double kFixedOne = 256;  // the pixel loops count factors in 256ths

double Around(double centre, double half_width, CounterRng* rng) {
  return centre + half_width * (2 * rng->Uniform() - 1);
}

}  // namespace

ResizePlan RandomResizedCrop(int width, int height, int side, CounterRng* rng) {
  ResizePlan plan;
  plan.scaled_width = plan.scaled_height = plan.window_width = plan.window_height = side;
  const double area = static_cast<double>(width) * height;
  for (int i = 0; i < kCropTries; ++i) {
    const double target = area * (kSmallestArea + (1 - kSmallestArea) * rng->Uniform());
    const double ratio = std::exp(std::log(kWidestRatio) * (2 * rng->Uniform() - 1));
    const int w = static_cast<int>(std::lround(std::sqrt(target * ratio)));
    const int h = static_cast<int>(std::lround(std::sqrt(target / ratio)));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    plan.width = w;
    plan.height = h;
    plan.top = static_cast<int>(rng->Below(static_cast<std::uint64_t>(height - h + 1)));
    plan.left = static_cast<int>(rng->Below(static_cast<std::uint64_t>(width - w + 1)));
    return plan;
  }
  plan.width = std::clamp(static_cast<int>(std::lround(height * kWidestRatio)), 1, width);
  plan.height = std::clamp(static_cast<int>(std::lround(width * kWidestRatio)), 1, height);
  plan.left = (width - plan.width) / 2;
  plan.top = (height - plan.height) / 2;
  return plan;
}

ResizePlan CentreCrop(int width, int height, int resize_short, int crop) {
  ResizePlan plan;
  plan.width = width;
  plan.height = height;
  const std::int64_t shortest = std::min(width, height);
  plan.scaled_width = static_cast<int>(std::int64_t{resize_short} * width / shortest);
  plan.scaled_height = static_cast<int>(std::int64_t{resize_short} * height / shortest);
  plan.window_left = (plan.scaled_width - crop) / 2;
  plan.window_top = (plan.scaled_height - crop) / 2;
  plan.window_width = plan.window_height = crop;
  return plan;
}

void PadAndCrop(ImageView image, int padding, CounterRng* rng, Image* out) {
  const auto draw = [&] { return static_cast<int>(rng->Below(static_cast<std::uint64_t>(2 * padding + 1))) - padding; };
  const int shift_y = draw();
  const int shift_x = draw();
  out->width = image.width;
  out->height = image.height;
  out->pixels.assign(static_cast<std::size_t>(image.width) * image.height * 3, 0);
  const int from = std::max(shift_x, 0);
  const int count = std::min(image.width + shift_x, image.width) - from;
  for (int y = 0; y < image.height; ++y) {
    const int source_y = y + shift_y;
    if (source_y < 0 || source_y >= image.height || count <= 0) continue;
    std::memcpy(out->pixels.data() + (static_cast<std::size_t>(y) * image.width + (from - shift_x)) * 3,
                image.pixels + (static_cast<std::size_t>(source_y) * image.width + from) * 3,
                static_cast<std::size_t>(count) * 3);
  }
}

void FlipHorizontally(Image* image) {
  for (int y = 0; y < image->height; ++y) {
    std::uint8_t* left = image->pixels.data() + static_cast<std::size_t>(y) * image->width * 3;
    std::uint8_t* right = left + static_cast<std::ptrdiff_t>(image->width - 1) * 3;
    for (; left < right; left += 3, right -= 3) {
      for (int c = 0; c < 3; ++c) std::swap(left[c], right[c]);
    }
  }
}

JitterStrength JitterFor(Augmentation augmentation) {
  switch (augmentation) {
    case Augmentation::kEval:
      return {};
    case Augmentation::kTrain:
      return {.brightness = 32.0 / 255.0, .saturation = 0.5};
    case Augmentation::kStrong:
      return {.brightness = 0.4, .contrast = 0.4, .saturation = 0.4, .hue = 0.1};
  }
  return {};
}

void ColorJitter(const JitterStrength& strength, CounterRng* rng, Image* image) {
  // Every call draws the same count of numbers whatever the strength, so that crops of later draws stay comparable.
  std::array<int, 4> order = {0, 1, 2, 3};
  for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[rng->Below(i + 1)]);
  const double brightness = Around(1, strength.brightness, rng);
  const double contrast = Around(1, strength.contrast, rng);
  const double saturation = Around(1, strength.saturation, rng);
  const double hue = Around(0, strength.hue, rng);
  for (const int step : order) {
    if (step == 0 && strength.brightness > 0) AdjustBrightness(brightness, image);
    if (step == 1 && strength.contrast > 0) AdjustContrast(contrast, image);
    if (step == 2 && strength.saturation > 0) AdjustSaturation(saturation, image);
    if (step == 3 && strength.hue > 0) AdjustHue(hue, image);
  }
}

void AdjustBrightness(double factor, Image* image) {
  BestPixelKernels().blend(image->pixels.data(), static_cast<std::int64_t>(image->pixels.size()),
                           static_cast<int>(std::lround(factor * kFixedOne)), 0);
}

void AdjustContrast(double factor, Image* image) {
  const auto count = static_cast<std::int64_t>(image->pixels.size() / 3);
  if (count == 0) return;
  const PixelKernels& kernels = BestPixelKernels();
  const double mean =
      std::round(static_cast<double>(kernels.grey_sum(image->pixels.data(), count)) / static_cast<double>(count));
  kernels.blend(image->pixels.data(), 3 * count, static_cast<int>(std::lround(factor * kFixedOne)),
                static_cast<int>(std::lround((1 - factor) * mean * kFixedOne)));
}

void AdjustSaturation(double factor, Image* image) {
  BestPixelKernels().saturate(image->pixels.data(), static_cast<std::int64_t>(image->pixels.size() / 3),
                              static_cast<int>(std::lround(factor * kFixedOne)));
}

void AdjustHue(double turn, Image* image) {
  const float shift = static_cast<float>((turn - std::floor(turn)) * 6);
  std::uint8_t* rgb = image->pixels.data();
  const std::uint8_t* end = rgb + image->pixels.size();
  for (; rgb != end; rgb += 3) {
    const int red = rgb[0];
    const int green = rgb[1];
    const int blue = rgb[2];
    const int high = std::max({red, green, blue});
    const int low = std::min({red, green, blue});
    const int range = high - low;
    if (range == 0) continue;
    // Hue in sixths of the circle, then the colour of the same highest and lowest value at the turned hue.
    float hue;
    if (high == red) {
      hue = static_cast<float>(green - blue) / static_cast<float>(range);
    } else if (high == green) {
      hue = 2 + static_cast<float>(blue - red) / static_cast<float>(range);
    } else {
      hue = 4 + static_cast<float>(red - green) / static_cast<float>(range);
    }
    hue += shift;
    if (hue < 0) hue += 6;
    if (hue >= 6) hue -= 6;
    const int sector = static_cast<int>(hue);
    const float part = hue - static_cast<float>(sector);
    const auto rising = static_cast<std::uint8_t>(low + static_cast<int>(part * static_cast<float>(range) + 0.5F));
    const auto falling = static_cast<std::uint8_t>(high - static_cast<int>(part * static_cast<float>(range) + 0.5F));
    const auto top = static_cast<std::uint8_t>(high);
    const auto bottom = static_cast<std::uint8_t>(low);
    const std::uint8_t colours[6][3] = {{top, rising, bottom},  {falling, top, bottom}, {bottom, top, rising},
                                        {bottom, falling, top}, {rising, bottom, top},  {top, bottom, falling}};
    std::memcpy(rgb, colours[sector % 6], 3);
  }
}

}  // namespace nas::detail
