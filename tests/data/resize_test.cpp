// SPDX-License-Identifier: Apache-2.0
#include "data/resize.h"

#include "data/augment.h"
#include "data/image_decoder.h"
#include "image_files.h"
#include "pillow_golden.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

ResizePlan WholeResult(int left, int top, int width, int height, int out_width, int out_height) {
  return {left, top, width, height, out_width, out_height, 0, 0, out_width, out_height};
}

TEST_CASE("resize equals Pillow's antialiased bilinear within one level", "[resize]") {
  for (const auto& golden : test::kPillowCases) {
    CAPTURE(golden.width, golden.height, golden.out_width, golden.out_height);
    const auto seed = static_cast<std::uint32_t>(1000 * golden.width + golden.height);
    const Image picture = test::NoisePicture(golden.width, golden.height, seed);
    Image out;
    detail::ResizeImage(
        View(picture),
        WholeResult(golden.left, golden.top, golden.box_width, golden.box_height, golden.out_width, golden.out_height),
        &out);
    const Image expected{golden.out_width, golden.out_height, golden.pixels};
    REQUIRE(out.width == expected.width);
    REQUIRE(out.pixels.size() == expected.pixels.size());
    CHECK(test::LargestDifference(out, expected) <= 1);
    CHECK(test::MeanAbsoluteDifference(out, expected) < 0.1);
  }
}

TEST_CASE("a window of the result equals the same part of the whole result", "[resize]") {
  const Image picture = test::NoisePicture(57, 41, 5);
  Image whole;
  detail::ResizeImage(View(picture), WholeResult(3, 2, 50, 37, 29, 31), &whole);
  ResizePlan plan = WholeResult(3, 2, 50, 37, 29, 31);
  plan.window_left = 7;
  plan.window_top = 5;
  plan.window_width = 11;
  plan.window_height = 13;
  Image part;
  detail::ResizeImage(View(picture), plan, &part);
  REQUIRE(part.width == 11);
  REQUIRE(part.height == 13);
  for (int y = 0; y < 13; ++y) {
    for (int i = 0; i < 33; ++i) REQUIRE(part.pixels[y * 33 + i] == whole.pixels[(y + 5) * 87 + 21 + i]);
  }
}

TEST_CASE("resize keeps flat areas, and pictures of the same size", "[resize]") {
  for (const int value : {0, 1, 127, 254, 255}) {
    const Image flat{37, 23, std::vector<std::uint8_t>(37 * 23 * 3, static_cast<std::uint8_t>(value))};
    for (const int side : {1, 2, 7, 36, 80}) {
      Image out;
      detail::ResizeImage(View(flat), WholeResult(0, 0, 37, 23, side, side), &out);
      for (const auto pixel : out.pixels) REQUIRE(pixel == value);
    }
  }
  const Image picture = test::NoisePicture(19, 8, 3);
  Image same;
  detail::ResizeImage(View(picture), WholeResult(0, 0, 19, 8, 19, 8), &same);
  CHECK(same == picture);
}

TEST_CASE("pixels outside of the box take no part", "[resize]") {
  Image picture = test::NoisePicture(30, 30, 9);
  const ResizePlan plan = WholeResult(5, 6, 12, 13, 5, 4);
  Image before;
  detail::ResizeImage(View(picture), plan, &before);
  for (int y = 0; y < 30; ++y) {
    for (int x = 0; x < 30; ++x) {
      if (x >= 5 && x < 17 && y >= 6 && y < 19) continue;
      for (int c = 0; c < 3; ++c) picture.pixels[(y * 30 + x) * 3 + c] ^= 0xFF;
    }
  }
  Image after;
  detail::ResizeImage(View(picture), plan, &after);
  CHECK(before == after);
}

TEST_CASE("weights of each output add up to one and lie in the source", "[resize]") {
  for (const int length : {1, 2, 5, 64, 1000}) {
    for (const int scaled : {1, 3, 64, 200}) {
      CAPTURE(length, scaled);
      const auto taps = detail::TriangleTaps(2, 2 + length, 2, length, scaled, 0, scaled);
      REQUIRE(static_cast<int>(taps.first.size()) == scaled);
      for (int i = 0; i < scaled; ++i) {
        int sum = 0;
        for (int k = 0; k < taps.taps; ++k) sum += taps.weights[i * taps.taps + k];
        REQUIRE(sum == 1 << 14);
        REQUIRE(taps.first[i] >= 2);
        REQUIRE(taps.first[i] + taps.taps <= 2 + length);
      }
    }
  }
}

TEST_CASE("a mirrored plan gives the flipped picture bit for bit", "[resize]") {
  const Image picture = test::SmoothPicture(90, 60, 4);
  const std::string jpeg = test::EncodeJpeg(picture);
  const detail::ByteSpan bytes(reinterpret_cast<const std::uint8_t*>(jpeg.data()), jpeg.size());
  for (const int out_width : {1, 2, 13, 40, 100}) {
    CAPTURE(out_width);
    ResizePlan plan = WholeResult(5, 2, 70, 50, out_width, 21);
    Image plain, mirrored;
    const auto decode = [&](Image* out) {
      detail::DecodeImageResized(
          bytes, [&](int, int) { return plan; }, out);
    };
    plan.mirrored = false;
    detail::ResizeImage(View(picture), plan, &plain);
    plan.mirrored = true;
    detail::ResizeImage(View(picture), plan, &mirrored);
    CHECK((out_width == 1) == (mirrored == plain));
    detail::FlipHorizontally(&mirrored);
    CHECK(mirrored == plain);
    decode(&mirrored);
    plan.mirrored = false;
    decode(&plain);
    detail::FlipHorizontally(&mirrored);
    CHECK(mirrored == plain);
  }
}

}  // namespace
}  // namespace nas
