// SPDX-License-Identifier: Apache-2.0
#include "nas/core/stats.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"

namespace nas {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void CheckSameSize(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) {
    ThrowInternal(StrCat("a correlation needs two equally long samples, got ", a.size(), " and ", b.size(), " values"));
  }
}

double SortedQuantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return kNan;
  const double position = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::vector<double> MeanRanks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    for (std::size_t i = first; i <= last; ++i) ranks[order[i]] = static_cast<double>(first + last) / 2;
    first = last + 1;
  }
  return ranks;
}

// Σ t(t−1)/2 over the groups of equal neighbours.
template <typename Equal>
double TiedPairs(std::size_t n, const Equal& equal) {
  double pairs = 0;
  for (std::size_t first = 0; first < n;) {
    std::size_t last = first;
    while (last + 1 < n && equal(first, last + 1)) ++last;
    const auto group = static_cast<double>(last - first + 1);
    pairs += group * (group - 1) / 2;
    first = last + 1;
  }
  return pairs;
}

// Sorts by merging and counts the exchanges a bubble sort would need (Knight 1966).
double SortCountingSwaps(std::span<double> values, std::span<double> scratch) {
  if (values.size() < 2) return 0;
  const std::size_t half = values.size() / 2;
  double swaps = SortCountingSwaps(values.first(half), scratch.first(half)) +
                 SortCountingSwaps(values.subspan(half), scratch.subspan(half));
  std::size_t left = 0;
  std::size_t right = half;
  for (std::size_t out = 0; out < values.size(); ++out) {
    if (left < half && (right == values.size() || values[left] <= values[right])) {
      scratch[out] = values[left++];
    } else {
      scratch[out] = values[right++];
      swaps += static_cast<double>(half - left);
    }
  }
  std::copy(scratch.begin(), scratch.end(), values.begin());
  return swaps;
}

}  // namespace

double Mean(std::span<const double> values) {
  if (values.empty()) return kNan;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double StdDev(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = Mean(values);
  double squares = 0;
  for (double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double Median(std::span<const double> values) { return Quantile(values, 0.5); }

double Quantile(std::span<const double> values, double q) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return SortedQuantile(sorted, q);
}

double MedianAbsoluteDeviation(std::span<const double> values) {
  const double center = Median(values);
  std::vector<double> deviations;
  deviations.reserve(values.size());
  for (double value : values) deviations.push_back(std::abs(value - center));
  return Median(deviations);
}

double Pearson(std::span<const double> a, std::span<const double> b) {
  CheckSameSize(a, b);
  if (a.size() < 2) return kNan;
  const double mean_a = Mean(a);
  const double mean_b = Mean(b);
  double aa = 0;
  double bb = 0;
  double ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
    ab += (a[i] - mean_a) * (b[i] - mean_b);
  }
  if (aa == 0 || bb == 0) return kNan;
  return std::clamp(ab / (std::sqrt(aa) * std::sqrt(bb)), -1.0, 1.0);
}

double Spearman(std::span<const double> a, std::span<const double> b) {
  CheckSameSize(a, b);
  return Pearson(MeanRanks(a), MeanRanks(b));
}

double KendallTauB(std::span<const double> a, std::span<const double> b) {
  CheckSameSize(a, b);
  const std::size_t n = a.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t i, std::size_t j) { return a[i] != a[j] ? a[i] < a[j] : b[i] < b[j]; });
  const auto same_a = [&](std::size_t i, std::size_t j) { return a[order[i]] == a[order[j]]; };
  const double ties_a = TiedPairs(n, same_a);
  const double ties_both =
      TiedPairs(n, [&](std::size_t i, std::size_t j) { return same_a(i, j) && b[order[i]] == b[order[j]]; });
  std::vector<double> by_a(n);
  for (std::size_t i = 0; i < n; ++i) by_a[i] = b[order[i]];
  std::vector<double> scratch(n);
  const double discordant = SortCountingSwaps(by_a, scratch);
  const double ties_b = TiedPairs(n, [&](std::size_t i, std::size_t j) { return by_a[i] == by_a[j]; });
  const double pairs = static_cast<double>(n) * (static_cast<double>(n) - 1) / 2;
  if (ties_a == pairs || ties_b == pairs) return kNan;
  const double concordant_minus_discordant = pairs - ties_a - ties_b + ties_both - 2 * discordant;
  return concordant_minus_discordant / (std::sqrt(pairs - ties_a) * std::sqrt(pairs - ties_b));
}

std::pair<double, double> BootstrapMeanInterval(std::span<const double> values, std::uint64_t seed) {
  if (values.empty()) return {kNan, kNan};
  constexpr int kResamples = 2000;
  CounterRng rng(seed);
  std::vector<double> means;
  means.reserve(kResamples);
  for (int resample = 0; resample < kResamples; ++resample) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += values[rng.Below(values.size())];
    means.push_back(sum / static_cast<double>(values.size()));
  }
  std::sort(means.begin(), means.end());
  return {SortedQuantile(means, 0.025), SortedQuantile(means, 0.975)};
}

}  // namespace nas
