// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nas::detail {

/// Bytes past the end of a source or target row that a row kernel may read or write.
inline constexpr std::size_t kRowPadding = 16;

/// Filter of one axis, laid out for `RowKernel`: outputs in order, `taps` weights each (scaled by 2^14).
struct RowFilter {
  int outputs = 0;
  int taps = 0;
  const int* first = nullptr;             ///< source column of each output's first weight
  const std::int16_t* weights = nullptr;  ///< [outputs][taps]
  std::vector<std::int16_t> packed;       ///< the same as the vector kernel reads them; empty where there is none
};

/// Weighted sum of `taps` rows, `stride` bytes each, at weights of 2^14: the filter along y of one output row.
using ColumnKernel = void (*)(const std::uint8_t* rows, const std::int16_t* weights, int taps, std::size_t stride,
                              std::uint8_t* out);

/// RGB row → filtered RGB row. `row` starts at source column `row_left`.
using RowKernel = void (*)(const RowFilter& filter, const std::uint8_t* row, int row_left, std::uint8_t* out);

}  // namespace nas::detail
