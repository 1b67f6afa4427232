// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

namespace nas {

/// Distribution-free 95 % interval of the median: order statistics j and n + 1 − j with j = ⌊(n − 1.96·√n)/2⌋
/// (latency.md §9.6). nullopt when there are too few values for it (j < 1).
std::optional<std::array<double, 2>> MedianInterval(std::span<const double> values);

/// Correlation of neighbours in a series; 0 for fewer than three values or a constant.
double LagOneCorrelation(std::span<const double> series);

/// Means of successive windows; an incomplete last window is left out.
std::vector<double> WindowMeans(std::span<const double> series, int window);

/// Interval of the median that allows for autocorrelation: of window means when neighbours correlate above the limit.
std::optional<std::array<double, 2>> RobustMedianInterval(std::span<const double> series, int window,
                                                          double correlated_above);

/// Share of values above median + 5·MAD and above 1.05·median (latency.md §9.7; the second so that very even samples
/// have no outliers of 1 %).
double OutlierShare(std::span<const double> values);

/// Whether the values fall into two clusters whose medians lie further apart than `gap` of the overall median. Clusters
/// of the best split (least variance inside) count when each holds 15 % of the values and they explain 85 % of the
/// variance.
bool IsBimodal(std::span<const double> values, double gap);

}  // namespace nas
