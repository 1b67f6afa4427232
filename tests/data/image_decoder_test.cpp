// SPDX-License-Identifier: Apache-2.0
#include "data/image_decoder.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "data/augment.h"
#include "data/jpeg_decoder.h"
#include "data/resize.h"
#include "image_files.h"
#include "nas/core/files.h"
#include "nas/core/subprocess.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

using detail::BadKind;
using detail::ByteSpan;
using detail::Damage;
using detail::ImageFormat;
using test::JpegColour;
using test::PngColour;

ByteSpan Bytes(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::optional<BadKind> KindOf(const std::string& bytes) {
  try {
    detail::DecodeImage(Bytes(bytes), Damage::kRefuse);
  } catch (const detail::DecodeError& error) {
    return error.kind();
  }
  return std::nullopt;
}

Image Greyed(Image image) {
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) image.pixels[i + 1] = image.pixels[i + 2] = image.pixels[i];
  return image;
}

TEST_CASE("JPEG of every kind decodes to the picture", "[decode]") {
  const Image picture = test::SmoothPicture(45, 37, 2);
  for (const auto colour : {JpegColour::kRgb, JpegColour::kGrey, JpegColour::kCmyk, JpegColour::kAdobeCmyk}) {
    for (const bool progressive : {false, true}) {
      CAPTURE(static_cast<int>(colour), progressive);
      const std::string file = test::EncodeJpeg(picture, {.colour = colour, .progressive = progressive});
      const auto info = detail::ReadImageInfo(Bytes(file));
      CHECK(info.format == ImageFormat::kJpeg);
      CHECK(info.width == 45);
      CHECK(info.height == 37);
      CHECK(info.grey == (colour == JpegColour::kGrey));
      CHECK(info.cmyk == (colour == JpegColour::kCmyk || colour == JpegColour::kAdobeCmyk));
      const Image decoded = detail::DecodeImage(Bytes(file), Damage::kRefuse);
      const Image expected = colour == JpegColour::kGrey ? Greyed(picture) : picture;
      REQUIRE(decoded.width == 45);
      REQUIRE(decoded.height == 37);
      CHECK(test::MeanAbsoluteDifference(decoded, expected) < 3);
      CHECK(detail::HasEndMarker(ImageFormat::kJpeg, Bytes(file)));
    }
  }
}

TEST_CASE("CMYK with black ink is darkened by it", "[decode]") {
  // Grey level through the black plate only: white ink values, black ink varying, as files from presses have it.
  const Image white{16, 16, std::vector<std::uint8_t>(16 * 16 * 3, 255)};
  std::string file = test::EncodeJpeg(white, {.colour = JpegColour::kCmyk});
  const Image decoded = detail::DecodeImage(Bytes(file), Damage::kRefuse);
  CHECK(*std::min_element(decoded.pixels.begin(), decoded.pixels.end()) >= 253);
  const Image black{16, 16, std::vector<std::uint8_t>(16 * 16 * 3, 0)};
  file = test::EncodeJpeg(black, {.colour = JpegColour::kAdobeCmyk});
  const Image dark = detail::DecodeImage(Bytes(file), Damage::kRefuse);
  CHECK(*std::max_element(dark.pixels.begin(), dark.pixels.end()) <= 2);
}

TEST_CASE("PNG of every kind decodes exactly", "[decode]") {
  const Image picture = test::NoisePicture(29, 17, 4);
  for (const auto colour : {PngColour::kRgb, PngColour::kRgba, PngColour::kGrey, PngColour::kGreyAlpha,
                            PngColour::kPalette, PngColour::kRgb16, PngColour::kGrey16}) {
    CAPTURE(static_cast<int>(colour));
    const std::string file = test::EncodePng(picture, colour);
    const auto info = detail::ReadImageInfo(Bytes(file));
    CHECK(info.format == ImageFormat::kPng);
    CHECK(info.width == 29);
    CHECK(info.height == 17);
    const bool grey = colour == PngColour::kGrey || colour == PngColour::kGreyAlpha || colour == PngColour::kGrey16;
    CHECK(info.grey == grey);
    CHECK(info.alpha == (colour == PngColour::kRgba || colour == PngColour::kGreyAlpha));
    CHECK(info.palette == (colour == PngColour::kPalette));
    CHECK(info.sixteen_bit == (colour == PngColour::kRgb16 || colour == PngColour::kGrey16));
    Image expected = grey ? Greyed(picture) : picture;
    if (colour == PngColour::kPalette) {
      for (auto& value : expected.pixels) value = static_cast<std::uint8_t>((value + 25) / 51 * 51);
    }
    CHECK(detail::DecodeImage(Bytes(file), Damage::kRefuse) == expected);
    CHECK(detail::HasEndMarker(ImageFormat::kPng, Bytes(file)));
  }
}

TEST_CASE("bad files are told apart", "[decode]") {
  const std::string jpeg = test::EncodeJpeg(test::NoisePicture(64, 64, 1));
  const std::string png = test::EncodePng(test::NoisePicture(64, 64, 1));
  CHECK(KindOf("") == BadKind::kEmpty);
  CHECK(KindOf("GIF89a and so on") == BadKind::kNotAnImage);
  CHECK(KindOf("<html>404</html>") == BadKind::kNotAnImage);
  CHECK(KindOf(jpeg.substr(0, jpeg.size() / 2)) == BadKind::kTruncated);
  CHECK(KindOf(png.substr(0, png.size() / 2)) == BadKind::kTruncated);
  CHECK(KindOf(jpeg) == std::nullopt);
  CHECK(KindOf(png) == std::nullopt);
  CHECK(KindOf(jpeg + "trailing bytes of a camera") == std::nullopt);

  std::string flipped = png;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x55);
  CHECK(KindOf(flipped) == BadKind::kCorrupt);
  std::string damaged = jpeg;
  std::fill(damaged.begin() + static_cast<std::ptrdiff_t>(jpeg.size() / 2),
            damaged.begin() + static_cast<std::ptrdiff_t>(jpeg.size() / 2 + 40), static_cast<char>(0xFF));
  CHECK(KindOf(damaged) == BadKind::kCorrupt);

  std::string huge = png;  // width and height of the header, big-endian; the check sum no longer fits, either
  std::fill_n(huge.begin() + 16, 8, static_cast<char>(0x7F));
  CHECK(KindOf(huge).has_value());
}

TEST_CASE("any cut or flipped byte ends in a picture or a DecodeError", "[decode]") {
  for (const bool progressive : {false, true}) {
    const std::string jpeg =
        test::EncodeJpeg(test::SmoothPicture(40, 24, 1), {.subsampled = true, .progressive = progressive});
    const auto plan = [](int w, int h) { return detail::CentreCrop(w, h, 10, 8); };
    for (std::size_t i = 0; i < jpeg.size(); ++i) {
      std::string cut = jpeg.substr(0, i);
      std::string flipped = jpeg;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
      for (const std::string& bytes : {cut, flipped}) {
        try {
          const Image image = detail::DecodeImage(Bytes(bytes), Damage::kTolerate);
          CHECK(image.pixels.size() == static_cast<std::size_t>(image.width) * image.height * 3);
          Image out;
          detail::DecodeImageResized(Bytes(bytes), plan, &out);
          CHECK(out.pixels.size() == 8 * 8 * 3);
        } catch (const detail::DecodeError&) {
        }
      }
    }
  }
}

TEST_CASE("the DCT scale is the largest that keeps the box no smaller than the result", "[decode]") {
  const auto divisor = [](int width, int height, int scaled) {
    return detail::JpegScaleDivisor({0, 0, width, height, scaled, scaled, 0, 0, scaled, scaled});
  };
  CHECK(divisor(223, 223, 224) == 1);
  CHECK(divisor(447, 500, 224) == 1);
  CHECK(divisor(448, 448, 224) == 2);
  CHECK(divisor(448, 447, 224) == 1);
  CHECK(divisor(900, 1000, 224) == 4);
  CHECK(divisor(4000, 4000, 224) == 8);
  CHECK(divisor(40000, 40000, 224) == 8);
}

/// Differences of partial decode against full decode and resize.
void ComparePartial(const std::string& file, const ResizePlan& plan, int largest_at_full_scale,
                    double mean_at_reduced) {
  const Image whole = detail::DecodeImage(Bytes(file), Damage::kTolerate);
  Image expected;
  detail::ResizeImage(View(whole), plan, &expected);
  Image partial;
  detail::DecodeImageResized(
      Bytes(file), [&](int, int) { return plan; }, &partial);
  REQUIRE(partial.width == plan.window_width);
  REQUIRE(partial.height == plan.window_height);
  if (detail::JpegScaleDivisor(plan) == 1) {
    CHECK(test::LargestDifference(partial, expected) <= largest_at_full_scale);
  } else {
    CHECK(test::MeanAbsoluteDifference(partial, expected) < mean_at_reduced);
  }
}

TEST_CASE("decoding a part equals the part of the whole", "[decode]") {
  CounterRng rng(3);
  for (const bool subsampled : {false, true}) {
    for (const bool progressive : {false, true}) {
      for (const auto colour : {JpegColour::kRgb, JpegColour::kGrey, JpegColour::kAdobeCmyk}) {
        CAPTURE(subsampled, progressive, static_cast<int>(colour));
        const std::string noise = test::EncodeJpeg(
            test::NoisePicture(203, 151, 1), {.colour = colour, .subsampled = subsampled, .progressive = progressive});
        const std::string smooth = test::EncodeJpeg(
            test::SmoothPicture(203, 151, 1), {.colour = colour, .subsampled = subsampled, .progressive = progressive});
        for (int i = 0; i < 12; ++i) {
          ComparePartial(noise, detail::RandomResizedCrop(203, 151, 64, &rng), 0, 1e9);
          ComparePartial(smooth, detail::RandomResizedCrop(203, 151, 20, &rng), 0, 2.5);
        }
        ComparePartial(noise, detail::CentreCrop(203, 151, 146, 128), 0, 1e9);
        ComparePartial(smooth, detail::CentreCrop(203, 151, 37, 32), 0, 2.5);
      }
    }
  }
}

TEST_CASE("PNG goes through the same crop and resize", "[decode]") {
  const Image picture = test::NoisePicture(61, 47, 8);
  const ResizePlan plan = detail::CentreCrop(61, 47, 20, 16);
  Image expected;
  detail::ResizeImage(View(picture), plan, &expected);
  Image out;
  detail::DecodeImageResized(
      Bytes(test::EncodePng(picture)), [&](int, int) { return plan; }, &out);
  CHECK(out == expected);
}

TEST_CASE("real photographs: partial decode agrees with full decode", "[decode]") {
  const std::string data = test::RealDataFolder();
  if (data.empty()) {
    WARN("skipped: NAS_TEST_DATA names no folder with imagenet-samples.tar");
    return;
  }
  const TempDir folder;
  SubprocessOptions unpack;
  unpack.argv = {"tar", "xf", data + "/imagenet-samples.tar", "-C", folder.path().string()};
  REQUIRE(RunSubprocess(unpack).exit_code == 0);
  CounterRng rng(11);
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!entry.is_regular_file()) continue;
    CAPTURE(entry.path().string());
    const std::string file = ReadFile(entry.path());
    const auto info = detail::ReadImageInfo(Bytes(file));
    ComparePartial(file, detail::RandomResizedCrop(info.width, info.height, 224, &rng), 0, 6);
    if (files % 5 == 0) ComparePartial(file, detail::CentreCrop(info.width, info.height, 256, 224), 0, 6);
    ++files;
  }
  CHECK(files == 125);
}

}  // namespace
}  // namespace nas
