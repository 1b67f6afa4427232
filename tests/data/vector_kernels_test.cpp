// SPDX-License-Identifier: Apache-2.0
#include "data/vector_kernels.h"

#include "data/resize.h"
#include "image_files.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

TEST_CASE("vector loops give the values of the plain loops", "[kernels]") {
  const detail::PixelKernels& kernels = detail::BestPixelKernels();
  for (const int count : {1, 2, 7, 8, 9, 31, 100, 1024}) {
    CAPTURE(count);
    const Image picture = test::NoisePicture(count, 1, static_cast<std::uint32_t>(count));
    for (const int factor : {0, 100, 256, 300, 500}) {
      Image fast = picture;
      Image plain = picture;
      kernels.blend(fast.pixels.data(), 3 * count, factor, 1234 - 5 * factor);
      detail::loops::Blend(plain.pixels.data(), 3 * count, factor, 1234 - 5 * factor);
      REQUIRE(fast == plain);
      fast = plain = picture;
      kernels.saturate(fast.pixels.data(), count, factor);
      detail::loops::Saturate(plain.pixels.data(), count, factor);
      REQUIRE(fast == plain);
    }
    CHECK(kernels.grey_sum(picture.pixels.data(), count) == detail::loops::GreySum(picture.pixels.data(), count));
    detail::NormaliseTable table;
    for (int k = 0; k < detail::kNormalisePeriod; ++k) {
      table.scale[k] = 0.01F * static_cast<float>(k % 3 + 1);
      table.shift[k] = -0.7F * static_cast<float>(k % 3);
    }
    std::vector<float> fast(3 * count);
    kernels.normalise(picture.pixels.data(), 3 * count, table, fast.data());
    for (int i = 0; i < 3 * count; ++i) {
      REQUIRE(fast[i] == static_cast<float>(picture.pixels[i]) * table.scale[i % 3] + table.shift[i % 3]);
    }
  }
}

TEST_CASE("the row kernel gives the sums of the definition for any number of taps", "[kernels]") {
  const Image picture = test::NoisePicture(120, 1, 77);
  for (const int outputs : {1, 2, 5, 17, 64, 119, 120, 240}) {
    CAPTURE(outputs);
    const auto taps = detail::TriangleTaps(0, 120, 0, 120, outputs, 0, outputs);
    std::vector<std::uint8_t> row = picture.pixels;
    row.resize(row.size() + detail::kRowPadding, 0xEE);
    std::vector<std::uint8_t> out(3 * outputs + detail::kRowPadding);
    detail::RowResampler(taps).Run(row.data(), 0, out.data());
    for (int i = 0; i < outputs; ++i) {
      for (int c = 0; c < 3; ++c) {
        int sum = 1 << 13;
        for (int k = 0; k < taps.taps; ++k) sum += taps.weights[i * taps.taps + k] * row[(taps.first[i] + k) * 3 + c];
        REQUIRE(out[3 * i + c] == sum >> 14);
      }
    }
  }
}

TEST_CASE("the column kernel gives the sums of the definition for any number of taps and any width", "[kernels]") {
  for (const int outputs : {1, 3, 9, 20, 40, 41, 90}) {
    for (const int width : {1, 10, 11, 21, 22, 75}) {
      CAPTURE(outputs, width);
      const Image picture = test::NoisePicture(width, 40, 78);
      const auto taps = detail::TriangleTaps(0, 40, 0, 40, outputs, 0, outputs);
      const std::size_t stride = static_cast<std::size_t>(width) * 3;
      std::vector<std::uint8_t> out(stride * outputs);
      detail::ResampleColumns(picture.pixels.data(), 0, taps, stride, out.data());
      for (int i = 0; i < outputs; ++i) {
        for (std::size_t x = 0; x < stride; ++x) {
          int sum = 1 << 13;
          for (int k = 0; k < taps.taps; ++k) {
            sum += taps.weights[i * taps.taps + k] * picture.pixels[(taps.first[i] + k) * stride + x];
          }
          REQUIRE(out[i * stride + x] == sum >> 14);
        }
      }
    }
  }
}

}  // namespace
}  // namespace nas
