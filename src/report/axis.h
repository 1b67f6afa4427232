// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nas::detail {

/// How the numbers of an axis read.
enum class AxisFormat {
  kPlain,
  kPercent,  ///< shares: 0.5 reads 50 %
  kCount,    ///< 1,200,000 reads 1.2 M
  kMillis,   ///< below 1 ms in us
};

/// `digits` < 0: as many as the value needs.
std::string FormatValue(AxisFormat format, double value);

/// A range with round ends and ticks at 1, 2 or 5 times a power of ten.
struct Scale {
  double low = 0, high = 1, step = 0.2;

  /// Holds low … high with about `ticks` ticks. `pad`: widens by a share of the range first.
  static Scale Around(double low, double high, int ticks, double pad = 0);
  std::vector<double> Ticks() const;
  std::string Label(AxisFormat format, double tick) const;
  double Share(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

}  // namespace nas::detail
