// SPDX-License-Identifier: Apache-2.0
// Pictures and image files for tests, encoded on the fly with the libraries themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "nas/core/error.h"
#include "nas/data/image.h"

namespace nas::test {

/// Bytes of a linear congruential generator: the worst case for filters.
Image NoisePicture(int width, int height, std::uint32_t seed);
/// Slopes and a disc: what JPEG keeps well.
Image SmoothPicture(int width, int height, int variant);

enum class JpegColour { kRgb, kGrey, kCmyk, kAdobeCmyk };
struct JpegOptions {
  JpegColour colour = JpegColour::kRgb;
  int quality = 95;
  bool subsampled = false;  ///< 4:2:0 instead of 4:4:4
  bool progressive = false;
};
std::string EncodeJpeg(const Image& image, const JpegOptions& options = {});

enum class PngColour { kRgb, kRgba, kGrey, kGreyAlpha, kPalette, kRgb16, kGrey16 };
/// Grey kinds take the red channel; the palette is 6×6×6 (values are rounded to multiples of 51).
std::string EncodePng(const Image& image, PngColour colour = PngColour::kRgb);

void Write(const std::filesystem::path& path, const std::string& bytes);

/// root/<split>/<class>/<i>.jpg of side × side pixels; `split` may be "".
void WriteClass(const std::filesystem::path& root, const std::string& split, const std::string& name, int count,
                int side = 16);

double MeanAbsoluteDifference(const Image& a, const Image& b);
int LargestDifference(const Image& a, const Image& b);

/// The error that the function throws; fails the test when it throws none.
Error ErrorOf(const std::function<void()>& function);

inline bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Folder of real data, or "" (the environment names it).
std::string RealDataFolder();

}  // namespace nas::test
