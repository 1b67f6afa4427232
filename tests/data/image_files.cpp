// SPDX-License-Identifier: Apache-2.0
#include "image_files.h"

#include <spng.h>

#include <cstddef>
#include <cstdio>
// clang-format off
#include <jpeglib.h>
// clang-format on

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "nas/core/text.h"

namespace nas::test {

Image NoisePicture(int width, int height, std::uint32_t seed) {
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
  std::uint32_t state = seed;
  for (auto& value : image.pixels) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<std::uint8_t>(state >> 24);
  }
  return image;
}

Image SmoothPicture(int width, int height, int variant) {
  Image image{width, height, {}};
  const double radius = 0.3 * std::min(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool inside = std::hypot(x - width / 2.0, y - height / 2.0) < radius;
      image.pixels.push_back(static_cast<std::uint8_t>(inside ? 220 : 40 + 100 * x / width));
      image.pixels.push_back(static_cast<std::uint8_t>(60 + 120 * y / height));
      image.pixels.push_back(static_cast<std::uint8_t>((30 * variant + (inside ? 60 : 150)) % 256));
    }
  }
  return image;
}

std::string EncodeJpeg(const Image& image, const JpegOptions& options) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  const bool cmyk = options.colour == JpegColour::kCmyk || options.colour == JpegColour::kAdobeCmyk;
  const bool grey = options.colour == JpegColour::kGrey;
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = cmyk ? 4 : grey ? 1 : 3;
  info.in_color_space = cmyk ? JCS_CMYK : grey ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, options.quality, TRUE);
  if (!options.subsampled) info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
  if (options.progressive) jpeg_simple_progression(&info);
  if (cmyk) info.write_Adobe_marker = options.colour == JpegColour::kAdobeCmyk ? TRUE : FALSE;
  jpeg_start_compress(&info, TRUE);
  std::vector<std::uint8_t> row(static_cast<std::size_t>(image.width) * info.input_components);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t* rgb = image.pixels.data() + (static_cast<std::size_t>(y) * image.width + x) * 3;
      std::uint8_t* out = row.data() + static_cast<std::size_t>(x) * info.input_components;
      if (grey) {
        out[0] = rgb[0];
      } else if (cmyk) {
        // Ink without black; Adobe stores the complement of the ink.
        const bool inverted = options.colour == JpegColour::kAdobeCmyk;
        for (int c = 0; c < 3; ++c) out[c] = inverted ? rgb[c] : static_cast<std::uint8_t>(255 - rgb[c]);
        out[3] = inverted ? 255 : 0;
      } else {
        std::copy_n(rgb, 3, out);
      }
    }
    JSAMPROW pointer = row.data();
    jpeg_write_scanlines(&info, &pointer, 1);
  }
  jpeg_finish_compress(&info);
  std::string bytes(reinterpret_cast<const char*>(buffer), size);
  std::free(buffer);
  jpeg_destroy_compress(&info);
  return bytes;
}

std::string EncodePng(const Image& image, PngColour colour) {
  struct Kind {
    spng_color_type type;
    std::uint8_t depth;
    int channels;
  };
  const Kind kind = [&]() -> Kind {
    switch (colour) {
      case PngColour::kRgba:
        return {SPNG_COLOR_TYPE_TRUECOLOR_ALPHA, 8, 4};
      case PngColour::kGrey:
        return {SPNG_COLOR_TYPE_GRAYSCALE, 8, 1};
      case PngColour::kGreyAlpha:
        return {SPNG_COLOR_TYPE_GRAYSCALE_ALPHA, 8, 2};
      case PngColour::kPalette:
        return {SPNG_COLOR_TYPE_INDEXED, 8, 1};
      case PngColour::kRgb16:
        return {SPNG_COLOR_TYPE_TRUECOLOR, 16, 3};
      case PngColour::kGrey16:
        return {SPNG_COLOR_TYPE_GRAYSCALE, 16, 1};
      default:
        return {SPNG_COLOR_TYPE_TRUECOLOR, 8, 3};
    }
  }();
  std::vector<std::uint8_t> raw;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    const std::uint8_t* rgb = image.pixels.data() + i;
    if (colour == PngColour::kPalette) {
      raw.push_back(static_cast<std::uint8_t>((rgb[0] + 25) / 51 * 36 + (rgb[1] + 25) / 51 * 6 + (rgb[2] + 25) / 51));
      continue;
    }
    const int colours = kind.channels >= 3 ? 3 : 1;
    for (int c = 0; c < colours; ++c) {
      raw.push_back(rgb[c]);
      if (kind.depth == 16) raw.push_back(rgb[c]);  // 257·v reads back as v
    }
    if (kind.channels == 2 || kind.channels == 4) raw.push_back(static_cast<std::uint8_t>(i % 256));  // alpha
  }
  spng_ctx* context = spng_ctx_new(SPNG_CTX_ENCODER);
  spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header{};
  header.width = static_cast<std::uint32_t>(image.width);
  header.height = static_cast<std::uint32_t>(image.height);
  header.color_type = static_cast<std::uint8_t>(kind.type);
  header.bit_depth = kind.depth;
  spng_set_ihdr(context, &header);
  if (colour == PngColour::kPalette) {
    spng_plte palette{};
    palette.n_entries = 216;
    for (int i = 0; i < 216; ++i) {
      palette.entries[i] = {static_cast<std::uint8_t>(i / 36 * 51), static_cast<std::uint8_t>(i / 6 % 6 * 51),
                            static_cast<std::uint8_t>(i % 6 * 51), 255};
    }
    spng_set_plte(context, &palette);
  }
  int status = spng_encode_image(context, raw.data(), raw.size(), SPNG_FMT_RAW, SPNG_ENCODE_FINALIZE);
  if (status != 0) throw std::runtime_error(spng_strerror(status));
  std::size_t size = 0;
  void* buffer = spng_get_png_buffer(context, &size, &status);
  std::string bytes(static_cast<const char*>(buffer), size);
  std::free(buffer);
  spng_ctx_free(context);
  return bytes;
}

void Write(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

void WriteClass(const std::filesystem::path& root, const std::string& split, const std::string& name, int count,
                int side) {
  for (int i = 0; i < count; ++i)
    Write(root / split / name / StrCat(i, ".jpg"), EncodeJpeg(SmoothPicture(side, side, i)));
}

double MeanAbsoluteDifference(const Image& a, const Image& b) {
  if (a.pixels.size() != b.pixels.size()) return 1e9;
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

int LargestDifference(const Image& a, const Image& b) {
  if (a.pixels.size() != b.pixels.size()) return 1000;
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  return largest;
}

Error ErrorOf(const std::function<void()>& function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("no nas::Error was thrown");
}

std::string RealDataFolder() {
  const char* folder = std::getenv("NAS_TEST_DATA");
  return folder == nullptr ? "" : folder;
}

}  // namespace nas::test
