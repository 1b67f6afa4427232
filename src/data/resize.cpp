// SPDX-License-Identifier: Apache-2.0
#include "resize.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "vector_kernels.h"

namespace nas::detail {
namespace {

constexpr int kWeightBits = 14;
constexpr int kHalf = 1 << (kWeightBits - 1);

void PlainRowKernel(const RowFilter& filter, const std::uint8_t* row, int row_left, std::uint8_t* out) {
  const std::int16_t* weights = filter.weights;
  for (int i = 0; i < filter.outputs; ++i, weights += filter.taps, out += 3) {
    const std::uint8_t* source = row + static_cast<std::ptrdiff_t>(filter.first[i] - row_left) * 3;
    int red = kHalf;
    int green = kHalf;
    int blue = kHalf;
    for (int k = 0; k < filter.taps; ++k) {
      red += weights[k] * source[3 * k];
      green += weights[k] * source[3 * k + 1];
      blue += weights[k] * source[3 * k + 2];
    }
    out[0] = static_cast<std::uint8_t>(red >> kWeightBits);
    out[1] = static_cast<std::uint8_t>(green >> kWeightBits);
    out[2] = static_cast<std::uint8_t>(blue >> kWeightBits);
  }
}

/// kTaps = 0: the number is known at run time only.
template <int kTaps>
void PlainColumns(const std::uint8_t* source, const std::int16_t* weights, int run_time_taps, std::size_t stride,
                  std::uint8_t* out) {
  if constexpr (kTaps > 0) {
    for (std::size_t x = 0; x < stride; ++x) {
      int sum = kHalf;
      for (int k = 0; k < kTaps; ++k) sum += static_cast<std::int16_t>(source[k * stride + x]) * weights[k];
      out[x] = static_cast<std::uint8_t>(sum >> kWeightBits);
    }
  } else {
    constexpr std::size_t kBlock = 512;
    int sums[kBlock];
    for (std::size_t begin = 0; begin < stride; begin += kBlock) {
      const std::size_t count = std::min(kBlock, stride - begin);
      std::fill_n(sums, count, kHalf);
      for (int k = 0; k < run_time_taps; ++k) {
        const std::uint8_t* line = source + k * stride + begin;
        const std::int16_t weight = weights[k];
        for (std::size_t x = 0; x < count; ++x) sums[x] += static_cast<std::int16_t>(line[x]) * weight;
      }
      for (std::size_t x = 0; x < count; ++x) out[begin + x] = static_cast<std::uint8_t>(sums[x] >> kWeightBits);
    }
  }
}

}  // namespace

AxisTaps TriangleTaps(int low, int high, double start, double length, int scaled, int window_start, int window_length) {
  const double scale = length / scaled;
  const double support = std::max(scale, 1.0);
  AxisTaps axis;
  axis.taps = std::min(static_cast<int>(std::ceil(2 * support)), high - low);
  axis.first.reserve(window_length);
  axis.weights.assign(static_cast<std::size_t>(window_length) * axis.taps, 0);
  axis.begin = high;
  axis.end = low;
  std::vector<double> exact(axis.taps);
  for (int i = 0; i < window_length; ++i) {
    const double centre = start + (window_start + i + 0.5) * scale;
    int first = std::clamp(static_cast<int>(std::floor(centre - support + 0.5)), low, high - 1);
    const int last = std::clamp(static_cast<int>(std::floor(centre + support + 0.5)), first + 1, high);
    const int count = std::min(last - first, axis.taps);
    double total = 0;
    for (int k = 0; k < count; ++k) {
      exact[k] = std::max(0.0, 1.0 - std::abs((first + k + 0.5 - centre) / support));
      total += exact[k];
    }
    if (total <= 0) {
      exact[0] = total = 1;
    }
    // Rows of equal length: zero weights in front where the source ends before the row does.
    const int shift = std::max(first + axis.taps - high, 0);
    std::int16_t* weights = axis.weights.data() + static_cast<std::size_t>(i) * axis.taps + shift;
    int sum = 0;
    int largest = 0;
    for (int k = 0; k < count; ++k) {
      weights[k] = static_cast<std::int16_t>(std::lround(exact[k] / total * (1 << kWeightBits)));
      sum += weights[k];
      if (weights[k] > weights[largest]) largest = k;
    }
    // Weights that sum to one keep flat areas flat and results within 8 bits.
    weights[largest] = static_cast<std::int16_t>(weights[largest] + (1 << kWeightBits) - sum);
    first -= shift;
    axis.first.push_back(first);
    axis.begin = std::min(axis.begin, first);
    axis.end = std::max(axis.end, first + axis.taps);
  }
  return axis;
}

void MirrorOutputs(AxisTaps* axis) {
  std::reverse(axis->first.begin(), axis->first.end());
  for (std::size_t i = 0, j = axis->first.size(); i + 1 < j; ++i) {
    --j;
    std::swap_ranges(axis->weights.begin() + static_cast<std::ptrdiff_t>(i * axis->taps),
                     axis->weights.begin() + static_cast<std::ptrdiff_t>((i + 1) * axis->taps),
                     axis->weights.begin() + static_cast<std::ptrdiff_t>(j * axis->taps));
  }
}

RowResampler::RowResampler(const AxisTaps& taps) : kernel_(VectorRowKernel()) {
  filter_.outputs = static_cast<int>(taps.first.size());
  filter_.taps = taps.taps;
  filter_.first = taps.first.data();
  filter_.weights = taps.weights.data();
  if (kernel_ != nullptr) {
    PackRowFilter(&filter_);
  } else {
    kernel_ = PlainRowKernel;
  }
}

void ResampleColumns(const std::uint8_t* rows, int rows_top, const AxisTaps& taps, std::size_t stride,
                     std::uint8_t* out) {
  const ColumnKernel vector_kernel = VectorColumnKernel();
  for (std::size_t i = 0; i < taps.first.size(); ++i) {
    const std::uint8_t* source = rows + stride * static_cast<std::size_t>(taps.first[i] - rows_top);
    const std::int16_t* weights = taps.weights.data() + i * taps.taps;
    std::uint8_t* target = out + i * stride;
    if (vector_kernel != nullptr) {
      vector_kernel(source, weights, taps.taps, stride, target);
      continue;
    }
    switch (taps.taps) {
      case 1:
        PlainColumns<1>(source, weights, 1, stride, target);
        break;
      case 2:
        PlainColumns<2>(source, weights, 2, stride, target);
        break;
      case 3:
        PlainColumns<3>(source, weights, 3, stride, target);
        break;
      case 4:
        PlainColumns<4>(source, weights, 4, stride, target);
        break;
      case 5:
        PlainColumns<5>(source, weights, 5, stride, target);
        break;
      case 6:
        PlainColumns<6>(source, weights, 6, stride, target);
        break;
      default:
        PlainColumns<0>(source, weights, taps.taps, stride, target);
    }
  }
}

void ResizeImage(ImageView image, const ResizePlan& plan, Image* out) {
  AxisTaps columns = TriangleTaps(plan.left, plan.left + plan.width, plan.left, plan.width, plan.scaled_width,
                                  plan.window_left, plan.window_width);
  if (plan.mirrored) MirrorOutputs(&columns);
  const AxisTaps rows = TriangleTaps(plan.top, plan.top + plan.height, plan.top, plan.height, plan.scaled_height,
                                     plan.window_top, plan.window_height);
  const std::size_t stride = static_cast<std::size_t>(plan.window_width) * 3;
  const auto narrowed = std::make_unique_for_overwrite<std::uint8_t[]>(stride * (rows.end - rows.begin) + kRowPadding);
  // The last row of a picture has no bytes behind it that may be read.
  const std::size_t row_bytes = static_cast<std::size_t>(columns.end - columns.begin) * 3;
  std::vector<std::uint8_t> row(row_bytes + kRowPadding);
  const RowResampler resampler(columns);
  for (int y = rows.begin; y < rows.end; ++y) {
    std::memcpy(row.data(), image.pixels + (static_cast<std::size_t>(y) * image.width + columns.begin) * 3, row_bytes);
    resampler.Run(row.data(), columns.begin, narrowed.get() + stride * (y - rows.begin));
  }
  out->width = plan.window_width;
  out->height = plan.window_height;
  out->pixels.resize(stride * plan.window_height);
  ResampleColumns(narrowed.get(), rows.begin, rows, stride, out->pixels.data());
}

}  // namespace nas::detail
