// SPDX-License-Identifier: Apache-2.0
#include "nas/device/sample_stats.h"

#include <algorithm>
#include <cmath>

#include "nas/core/stats.h"

namespace nas {
namespace {

constexpr double kLeastOutlier = 0.05;
constexpr double kMinorCluster = 0.15;
constexpr double kExplainedVariance = 0.85;

std::vector<double> Sorted(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace

std::optional<std::array<double, 2>> MedianInterval(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const int j = static_cast<int>(std::floor((n - 1.96 * std::sqrt(n)) / 2));
  if (j < 1) return std::nullopt;
  const std::vector<double> sorted = Sorted(values);
  return std::array<double, 2>{sorted[j - 1], sorted[sorted.size() - j]};
}

double LagOneCorrelation(std::span<const double> series) {
  if (series.size() < 3) return 0;
  const double mean = Mean(series);
  double variance = 0, covariance = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    variance += (series[i] - mean) * (series[i] - mean);
    if (i > 0) covariance += (series[i] - mean) * (series[i - 1] - mean);
  }
  return variance > 0 ? covariance / variance : 0;
}

std::vector<double> WindowMeans(std::span<const double> series, int window) {
  std::vector<double> means;
  const auto step = static_cast<std::size_t>(window);
  for (std::size_t first = 0; first + step <= series.size(); first += step) {
    means.push_back(Mean(series.subspan(first, step)));
  }
  return means;
}

std::optional<std::array<double, 2>> RobustMedianInterval(std::span<const double> series, int window,
                                                          double correlated_above) {
  if (LagOneCorrelation(series) <= correlated_above) return MedianInterval(series);
  return MedianInterval(WindowMeans(series, window));
}

double OutlierShare(std::span<const double> values) {
  if (values.empty()) return 0;
  const double median = Median(values);
  const double mad = MedianAbsoluteDeviation(values);
  // Of a run whose middle half spreads by 0.2 % a call that took 2 % longer is no disturbance.
  const double limit = median + std::max(5 * mad, kLeastOutlier * median);
  const auto above = std::count_if(values.begin(), values.end(), [&](double v) { return v > limit; });
  return static_cast<double>(above) / static_cast<double>(values.size());
}

bool IsBimodal(std::span<const double> values, double gap) {
  const std::vector<double> sorted = Sorted(values);
  const std::size_t n = sorted.size();
  if (n < 10) return false;
  double total = 0, total_squares = 0;
  for (const double v : sorted) {
    total += v;
    total_squares += v * v;
  }
  const double variance = total_squares - total * total / static_cast<double>(n);
  if (variance <= 0) return false;
  double best = 0, sum = 0;
  std::size_t split = 0;
  for (std::size_t i = 1; i < n; ++i) {
    sum += sorted[i - 1];
    const auto low = static_cast<double>(i), high = static_cast<double>(n - i);
    const double apart = sum / low - (total - sum) / high;
    const double between = low * high / static_cast<double>(n) * apart * apart;
    if (between > best) {
      best = between;
      split = i;
    }
  }
  const double minor = static_cast<double>(std::min(split, n - split)) / static_cast<double>(n);
  if (minor < kMinorCluster || best < kExplainedVariance * variance) return false;
  const std::span<const double> all(sorted);
  return Median(all.subspan(split)) - Median(all.first(split)) > gap * Median(all);
}

}  // namespace nas
