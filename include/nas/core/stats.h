// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <utility>

namespace nas {

double Mean(std::span<const double> values);
/// Sample standard deviation (n − 1); 0 for fewer than two values.
double StdDev(std::span<const double> values);
double Median(std::span<const double> values);
/// Percentile by linear interpolation, q in [0, 1].
double Quantile(std::span<const double> values, double q);
/// Median absolute deviation from the median, unscaled.
double MedianAbsoluteDeviation(std::span<const double> values);
double Pearson(std::span<const double> a, std::span<const double> b);
/// Spearman's rank correlation, ties at mean rank. NaN when a side is constant.
double Spearman(std::span<const double> a, std::span<const double> b);
/// Kendall's τ-b. NaN when a side is constant.
double KendallTauB(std::span<const double> a, std::span<const double> b);
/// 95 % bootstrap percentile interval of the mean over items; 2,000 resamples from `seed`.
std::pair<double, double> BootstrapMeanInterval(std::span<const double> values, std::uint64_t seed);

}  // namespace nas
