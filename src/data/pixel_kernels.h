// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace nas::detail {

/// Normalisation of interleaved RGB values: value·scale + shift, both repeated to a multiple of three and of the vector
/// length.
inline constexpr int kNormalisePeriod = 24;
struct NormaliseTable {
  std::array<float, kNormalisePeriod> scale{};
  std::array<float, kNormalisePeriod> shift{};
};

/// Loops over interleaved RGB pixels.
struct PixelKernels {
  /// value → (value·factor + offset) / 256, clipped; all values alike.
  void (*blend)(std::uint8_t* values, std::int64_t count, int factor, int offset);
  /// value → grey + (value − grey)·factor / 256, clipped; `count` pixels.
  void (*saturate)(std::uint8_t* pixels, std::int64_t count, int factor);
  /// Sum of the pixels' grey values.
  std::int64_t (*grey_sum)(const std::uint8_t* pixels, std::int64_t count);
  void (*normalise)(const std::uint8_t* values, std::int64_t count, const NormaliseTable& table, float* out);
};

// The loops themselves, inlined into functions that are compiled for one instruction set each.
namespace loops {

/// ITU-R 601 luma in 8-bit fixed point (weights add up to 256).
[[gnu::always_inline]] inline int Grey(int red, int green, int blue) {
  return (red * 77 + green * 150 + blue * 29 + 128) >> 8;
}

[[gnu::always_inline]] inline std::uint8_t Clip(int value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0, 255));
}

[[gnu::always_inline]] inline void Blend(std::uint8_t* values, std::int64_t count, int factor, int offset) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = Clip((values[i] * factor + offset + 128) >> 8);
}

[[gnu::always_inline]] inline void Saturate(std::uint8_t* pixels, std::int64_t count, int factor) {
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint8_t* rgb = pixels + 3 * i;
    const int red = rgb[0];
    const int green = rgb[1];
    const int blue = rgb[2];
    const int base = Grey(red, green, blue) * (256 - factor) + 128;
    rgb[0] = Clip((base + red * factor) >> 8);
    rgb[1] = Clip((base + green * factor) >> 8);
    rgb[2] = Clip((base + blue * factor) >> 8);
  }
}

[[gnu::always_inline]] inline std::int64_t GreySum(const std::uint8_t* pixels, std::int64_t count) {
  std::int64_t total = 0;
  constexpr std::int64_t kBlock = 1 << 16;  // sums of a block fit into 32 bits
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const std::int64_t end = std::min(begin + kBlock, count);
    std::int32_t sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += Grey(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]);
    total += sum;
  }
  return total;
}

[[gnu::always_inline]] inline void Normalise(const std::uint8_t* values, std::int64_t count,
                                             const NormaliseTable& table, float* out) {
  std::int64_t i = 0;
  for (; i + kNormalisePeriod <= count; i += kNormalisePeriod) {
    for (int k = 0; k < kNormalisePeriod; ++k) {
      out[i + k] = static_cast<float>(values[i + k]) * table.scale[k] + table.shift[k];
    }
  }
  for (int k = 0; i < count; ++i, ++k) out[i] = static_cast<float>(values[i]) * table.scale[k] + table.shift[k];
}

}  // namespace loops
}  // namespace nas::detail
