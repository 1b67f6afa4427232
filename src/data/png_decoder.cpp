// SPDX-License-Identifier: Apache-2.0
#include "png_decoder.h"

#include <spng.h>

#include <memory>

namespace nas::detail {
namespace {

struct FreeContext {
  void operator()(spng_ctx* context) const { spng_ctx_free(context); }
};
using Context = std::unique_ptr<spng_ctx, FreeContext>;

void Require(int status) {
  if (status == SPNG_OK) return;
  const bool cut_off = status == SPNG_EOF || status == SPNG_IO_EOF || status == SPNG_EIDAT_TOO_SHORT;
  throw DecodeError(cut_off ? BadKind::kTruncated : BadKind::kCorrupt, spng_strerror(status));
}

Context Open(ByteSpan bytes) {
  Context context(spng_ctx_new(0));
  if (!context) throw DecodeError(BadKind::kUnreadable, "out of memory");
  // Text and colour profiles are not looked at: their limits only keep a malicious file from taking memory.
  Require(spng_set_chunk_limits(context.get(), std::size_t{1} << 26, std::size_t{1} << 27));
  Require(spng_set_png_buffer(context.get(), bytes.data(), bytes.size()));
  return context;
}

ImageInfo Info(const spng_ihdr& header) {
  CheckDimensions(header.width, header.height);
  ImageInfo info;
  info.format = ImageFormat::kPng;
  info.width = static_cast<int>(header.width);
  info.height = static_cast<int>(header.height);
  info.grey = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
  info.palette = header.color_type == SPNG_COLOR_TYPE_INDEXED;
  info.alpha =
      header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA || header.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
  info.sixteen_bit = header.bit_depth == 16;
  return info;
}

}  // namespace

ImageInfo ReadPngInfo(ByteSpan bytes) {
  const Context context = Open(bytes);
  spng_ihdr header{};
  Require(spng_get_ihdr(context.get(), &header));
  return Info(header);
}

Image DecodePng(ByteSpan bytes) {
  const Context context = Open(bytes);
  spng_ihdr header{};
  Require(spng_get_ihdr(context.get(), &header));
  const ImageInfo info = Info(header);
  Image image{info.width, info.height,
              std::vector<std::uint8_t>(static_cast<std::size_t>(info.width) * info.height * 3)};
  Require(spng_decode_image(context.get(), image.pixels.data(), image.pixels.size(), SPNG_FMT_RGB8, 0));
  return image;
}

}  // namespace nas::detail
