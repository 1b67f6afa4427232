// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include "nas/data/image.h"

namespace nas::detail {

using ByteSpan = std::span<const std::uint8_t>;

/// Why a file is no use.
enum class BadKind { kEmpty, kNotAnImage, kTruncated, kCorrupt, kTooLarge, kUnreadable };
std::string Name(BadKind kind);

/// Thrown by the decoders; whoever knows the file's name turns it into a nas::Error or counts it.
class DecodeError : public std::runtime_error {
 public:
  DecodeError(BadKind kind, const std::string& reason) : std::runtime_error(reason), kind_(kind) {}
  BadKind kind() const { return kind_; }

 private:
  BadKind kind_;
};

enum class ImageFormat { kUnknown, kJpeg, kPng };

/// What the header says.
struct ImageInfo {
  ImageFormat format = ImageFormat::kUnknown;
  int width = 0;
  int height = 0;
  bool cmyk = false;
  bool grey = false;
  bool palette = false;
  bool alpha = false;
  bool sixteen_bit = false;
};

/// Larger pictures are refused before memory is asked for.
inline constexpr std::int64_t kMaxPixels = std::int64_t{1} << 27;

/// By the magic bytes; the file's name plays no part.
ImageFormat SniffFormat(ByteSpan bytes);

/// Reads the header only. Throws DecodeError.
ImageInfo ReadImageInfo(ByteSpan bytes);

/// Damage inside of the compressed data: refused, or shown as far as it goes (grey rest, as libjpeg does).
enum class Damage { kRefuse, kTolerate };

/// The whole picture as 8-bit RGB: CMYK and grey converted, 16 bits cut to 8, alpha dropped. Throws DecodeError.
Image DecodeImage(ByteSpan bytes, Damage damage);

/// Only what the plan needs, resized; tolerates damage. Throws DecodeError.
void DecodeImageResized(ByteSpan bytes, const ResizePlanner& planner, Image* out);

/// True where the last bytes of a file hold the format's end marker; without one a file is probably cut off.
bool HasEndMarker(ImageFormat format, ByteSpan tail);

/// Throws DecodeError on sizes that are zero or beyond kMaxPixels.
void CheckDimensions(std::int64_t width, std::int64_t height);

}  // namespace nas::detail
