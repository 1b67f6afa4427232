// SPDX-License-Identifier: Apache-2.0
#include "image_decoder.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "jpeg_decoder.h"
#include "nas/core/text.h"
#include "png_decoder.h"
#include "resize.h"

namespace nas::detail {
namespace {

constexpr std::array<std::uint8_t, 3> kJpegMagic = {0xFF, 0xD8, 0xFF};
constexpr std::array<std::uint8_t, 8> kPngMagic = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

bool StartsWithBytes(ByteSpan bytes, ByteSpan magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

bool ContainsBytes(ByteSpan bytes, ByteSpan needle) {
  return std::search(bytes.begin(), bytes.end(), needle.begin(), needle.end()) != bytes.end();
}

ImageFormat RequireFormat(ByteSpan bytes) {
  if (bytes.empty()) throw DecodeError(BadKind::kEmpty, "the file has no bytes");
  const ImageFormat format = SniffFormat(bytes);
  if (format == ImageFormat::kUnknown) {
    throw DecodeError(BadKind::kNotAnImage, "the content is neither JPEG nor PNG");
  }
  return format;
}

}  // namespace

std::string Name(BadKind kind) {
  switch (kind) {
    case BadKind::kEmpty:
      return "empty";
    case BadKind::kNotAnImage:
      return "not a JPEG or PNG";
    case BadKind::kTruncated:
      return "truncated";
    case BadKind::kCorrupt:
      return "corrupt";
    case BadKind::kTooLarge:
      return "too large";
    case BadKind::kUnreadable:
      return "unreadable";
  }
  return "unreadable";
}

ImageFormat SniffFormat(ByteSpan bytes) {
  if (StartsWithBytes(bytes, kJpegMagic)) return ImageFormat::kJpeg;
  if (StartsWithBytes(bytes, kPngMagic)) return ImageFormat::kPng;
  return ImageFormat::kUnknown;
}

ImageInfo ReadImageInfo(ByteSpan bytes) {
  return RequireFormat(bytes) == ImageFormat::kJpeg ? ReadJpegInfo(bytes) : ReadPngInfo(bytes);
}

Image DecodeImage(ByteSpan bytes, Damage damage) {
  return RequireFormat(bytes) == ImageFormat::kJpeg ? DecodeJpeg(bytes, damage) : DecodePng(bytes);
}

void DecodeImageResized(ByteSpan bytes, const ResizePlanner& planner, Image* out) {
  if (RequireFormat(bytes) == ImageFormat::kJpeg) {
    DecodeJpegResized(bytes, planner, out);
    return;
  }
  const Image image = DecodePng(bytes);
  ResizeImage(View(image), planner(image.width, image.height), out);
}

bool HasEndMarker(ImageFormat format, ByteSpan tail) {
  constexpr std::array<std::uint8_t, 2> kEndOfImage = {0xFF, 0xD9};
  constexpr std::array<std::uint8_t, 8> kPngEnd = {'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};
  return format == ImageFormat::kJpeg ? ContainsBytes(tail, kEndOfImage) : ContainsBytes(tail, kPngEnd);
}

void CheckDimensions(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1) throw DecodeError(BadKind::kCorrupt, StrCat("the size is ", width, "x", height));
  if (width * height > kMaxPixels) {
    throw DecodeError(BadKind::kTooLarge, StrCat(width, "x", height, " pixels are more than ", kMaxPixels));
  }
}

}  // namespace nas::detail
