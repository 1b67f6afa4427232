// SPDX-License-Identifier: Apache-2.0
#include "jpeg_decoder.h"

// jpeglib.h needs FILE and size_t from before it.
#include <cstddef>
#include <cstdio>
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <algorithm>
#include <csetjmp>
#include <memory>

#include "resize.h"

namespace nas::detail {
namespace {

/// libjpeg's error hooks: its own would end the process and print.
struct ErrorState {
  jpeg_error_mgr manager;  // first: libjpeg hands back a pointer to it
  std::jmp_buf jump;
  bool cut_off;
  bool corrupt;
};

ErrorState* State(j_common_ptr info) { return reinterpret_cast<ErrorState*>(info->err); }

[[noreturn]] void OnError(j_common_ptr info) { std::longjmp(State(info)->jump, 1); }

void OnMessage(j_common_ptr info, int level) {
  if (level >= 0) return;
  ErrorState* state = State(info);
  switch (state->manager.msg_code) {
    case JWRN_JPEG_EOF:
      state->cut_off = true;
      break;
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
      state->corrupt = true;
      break;
    default:  // harmless: extra bytes, an odd Adobe or JFIF version
      break;
  }
}

void OnOutput(j_common_ptr /*info*/) {}

/// One decompression. Each member that calls libjpeg sets the jump target itself and holds no object with a destructor
/// while a jump may come.
class JpegReader {
 public:
  explicit JpegReader(ByteSpan bytes);
  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  int width() const { return static_cast<int>(info_.image_width); }
  int height() const { return static_cast<int>(info_.image_height); }
  bool cmyk() const { return info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK; }
  bool grey() const { return info_.jpeg_color_space == JCS_GRAYSCALE; }
  bool cut_off() const { return errors_.cut_off; }
  bool corrupt() const { return errors_.corrupt; }

  /// Output at 1/divisor; afterwards scaled_width and scaled_height hold.
  void Scale(int divisor);
  int scaled_width() const { return static_cast<int>(info_.output_width); }
  int scaled_height() const { return static_cast<int>(info_.output_height); }

  /// Prepares to read the columns [left, right) from row `top` on.
  void Start(int left, int right, int top);
  int row_left() const { return row_left_; }    ///< first column that ReadRow delivers, ≤ left
  int row_width() const { return row_width_; }  ///< number of columns that it delivers
  /// The next row as RGB into 3·row_width bytes.
  void ReadRow(std::uint8_t* rgb);

 private:
  [[noreturn]] void Throw();

  jpeg_decompress_struct info_{};
  ErrorState errors_{};
  int row_left_ = 0;
  int row_width_ = 0;
  std::vector<std::uint8_t> cmyk_row_;
};

void JpegReader::Throw() {
  char reason[JMSG_LENGTH_MAX] = {};
  errors_.manager.format_message(reinterpret_cast<j_common_ptr>(&info_), reason);
  const int code = errors_.manager.msg_code;
  const bool memory = code == JERR_OUT_OF_MEMORY;
  throw DecodeError(memory ? BadKind::kUnreadable : errors_.cut_off ? BadKind::kTruncated : BadKind::kCorrupt, reason);
}

JpegReader::JpegReader(ByteSpan bytes) {
  info_.err = jpeg_std_error(&errors_.manager);
  errors_.manager.error_exit = OnError;
  errors_.manager.emit_message = OnMessage;
  errors_.manager.output_message = OnOutput;
  if (setjmp(errors_.jump) != 0) {
    // A constructor that throws is not followed by the destructor. Destroying twice or too early is harmless.
    try {
      Throw();
    } catch (...) {
      jpeg_destroy_decompress(&info_);
      throw;
    }
  }
  jpeg_create_decompress(&info_);
  jpeg_mem_src(&info_, bytes.data(), static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&info_, TRUE);
}

void JpegReader::Scale(int divisor) {
  if (setjmp(errors_.jump) != 0) Throw();
  info_.scale_num = 1;
  info_.scale_denom = static_cast<unsigned>(divisor);
  info_.out_color_space = cmyk() ? JCS_CMYK : JCS_RGB;
  jpeg_calc_output_dimensions(&info_);
}

void JpegReader::Start(int left, int right, int top) {
  if (cmyk()) cmyk_row_.resize(static_cast<std::size_t>(scaled_width()) * 4);
  if (setjmp(errors_.jump) != 0) Throw();
  jpeg_start_decompress(&info_);
  row_left_ = 0;
  row_width_ = scaled_width();
  // The chroma filter treats the first and last column of a crop as the picture's edge: two columns more on each side
  // keep that away from the pixels in use.
  const int from = std::max(left - 2, 0);
  const int to = std::min(right + 2, scaled_width());
  if (to - from < scaled_width()) {
    JDIMENSION offset = static_cast<JDIMENSION>(from);
    JDIMENSION count = static_cast<JDIMENSION>(to - from);
    jpeg_crop_scanline(&info_, &offset, &count);
    row_left_ = static_cast<int>(offset);
    row_width_ = static_cast<int>(info_.output_width);
  }
  if (top > 0) jpeg_skip_scanlines(&info_, static_cast<JDIMENSION>(top));
}

void JpegReader::ReadRow(std::uint8_t* rgb) {
  JSAMPROW row = cmyk_row_.empty() ? rgb : cmyk_row_.data();
  if (setjmp(errors_.jump) != 0) Throw();
  jpeg_read_scanlines(&info_, &row, 1);
  if (cmyk_row_.empty()) return;
  // Adobe writes ink amounts inverted; both cases reduce to (white − ink)·(white − black).
  const int flip = info_.saw_Adobe_marker ? 0 : 255;
  for (int x = 0; x < row_width_; ++x) {
    const std::uint8_t* ink = cmyk_row_.data() + 4 * x;
    const int key = ink[3] ^ flip;
    for (int c = 0; c < 3; ++c) rgb[3 * x + c] = static_cast<std::uint8_t>(((ink[c] ^ flip) * key + 127) / 255);
  }
}

}  // namespace

ImageInfo ReadJpegInfo(ByteSpan bytes) {
  const JpegReader reader(bytes);
  CheckDimensions(reader.width(), reader.height());
  ImageInfo info;
  info.format = ImageFormat::kJpeg;
  info.width = reader.width();
  info.height = reader.height();
  info.cmyk = reader.cmyk();
  info.grey = reader.grey();
  return info;
}

Image DecodeJpeg(ByteSpan bytes, Damage damage) {
  JpegReader reader(bytes);
  CheckDimensions(reader.width(), reader.height());
  Image image{reader.width(), reader.height(), {}};
  const std::size_t stride = static_cast<std::size_t>(image.width) * 3;
  image.pixels.resize(stride * image.height);
  reader.Scale(1);
  reader.Start(0, image.width, 0);
  for (int y = 0; y < image.height; ++y) reader.ReadRow(image.pixels.data() + stride * y);
  if (damage == Damage::kRefuse) {
    if (reader.cut_off()) throw DecodeError(BadKind::kTruncated, "the file ends before the picture does");
    if (reader.corrupt()) throw DecodeError(BadKind::kCorrupt, "the compressed data are damaged");
  }
  return image;
}

int JpegScaleDivisor(const ResizePlan& plan) {
  int divisor = 1;
  while (divisor < 8 && plan.width >= 2 * divisor * plan.scaled_width &&
         plan.height >= 2 * divisor * plan.scaled_height) {
    divisor *= 2;
  }
  return divisor;
}

void DecodeJpegResized(ByteSpan bytes, const ResizePlanner& planner, Image* out) {
  JpegReader reader(bytes);
  CheckDimensions(reader.width(), reader.height());
  const ResizePlan plan = planner(reader.width(), reader.height());
  const int divisor = JpegScaleDivisor(plan);
  reader.Scale(divisor);
  const auto taps = [divisor](int start, int length, int limit, int scaled, int window_start, int window_length) {
    const int low = start / divisor;
    const int high = std::min((start + length + divisor - 1) / divisor, limit);
    return TriangleTaps(low, high, static_cast<double>(start) / divisor, static_cast<double>(length) / divisor, scaled,
                        window_start, window_length);
  };
  AxisTaps columns =
      taps(plan.left, plan.width, reader.scaled_width(), plan.scaled_width, plan.window_left, plan.window_width);
  const AxisTaps rows =
      taps(plan.top, plan.height, reader.scaled_height(), plan.scaled_height, plan.window_top, plan.window_height);
  if (plan.mirrored) MirrorOutputs(&columns);
  reader.Start(columns.begin, columns.end, rows.begin);
  const std::size_t stride = static_cast<std::size_t>(plan.window_width) * 3;
  // An odd address: libjpeg-turbo writes aligned rows around the cache, and they are read again at once.
  std::vector<std::uint8_t> row_bytes(static_cast<std::size_t>(reader.row_width()) * 3 + kRowPadding + 1);
  std::uint8_t* row = row_bytes.data() + 1;
  const auto narrowed = std::make_unique_for_overwrite<std::uint8_t[]>(stride * (rows.end - rows.begin) + kRowPadding);
  const RowResampler resampler(columns);
  for (int y = rows.begin; y < rows.end; ++y) {
    reader.ReadRow(row);
    resampler.Run(row, reader.row_left(), narrowed.get() + stride * (y - rows.begin));
  }
  out->width = plan.window_width;
  out->height = plan.window_height;
  out->pixels.resize(stride * plan.window_height);
  ResampleColumns(narrowed.get(), rows.begin, rows, stride, out->pixels.data());
}

}  // namespace nas::detail
