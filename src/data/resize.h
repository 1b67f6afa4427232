// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nas/data/image.h"
#include "row_filter.h"

namespace nas::detail {

/// Filter weights of one axis: output i is Σ_k weights[i·taps + k] · source[first[i] + k], scaled by 2^14.
struct AxisTaps {
  int taps = 0;
  std::vector<int> first;
  std::vector<std::int16_t> weights;
  int begin = 0;  ///< source positions in use: [begin, end)
  int end = 0;
};

/// The antialiased bilinear (triangle) filter as Pillow and torchvision define it: support grows with the reduction.
/// The source interval [start, start + length) becomes `scaled` outputs, of which [window_start, window_start +
/// window_length) are computed; only positions in [low, high) take part.
AxisTaps TriangleTaps(int low, int high, double start, double length, int scaled, int window_start, int window_length);

/// The same outputs in reverse order.
void MirrorOutputs(AxisTaps* axis);

/// Filters RGB rows along x.
class RowResampler {
 public:
  /// Keeps a reference to the taps.
  explicit RowResampler(const AxisTaps& taps);
  /// `row` starts at source column `row_left`. Up to kRowPadding bytes past the end of either row may be touched.
  void Run(const std::uint8_t* row, int row_left, std::uint8_t* out) const { kernel_(filter_, row, row_left, out); }

 private:
  RowFilter filter_;
  RowKernel kernel_;
};

/// Filters along y: `rows` starts at source row `rows_top`, each row has `stride` bytes.
void ResampleColumns(const std::uint8_t* rows, int rows_top, const AxisTaps& taps, std::size_t stride,
                     std::uint8_t* out);

/// Crop and resize of a decoded picture: first along x, then along y, rounded to 8 bits between (as Pillow does).
void ResizeImage(ImageView image, const ResizePlan& plan, Image* out);

}  // namespace nas::detail
