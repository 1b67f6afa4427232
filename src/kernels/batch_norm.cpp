// SPDX-License-Identifier: Apache-2.0
#include "batch_norm.h"

#include <algorithm>
#include <cmath>

namespace nas::detail {
namespace {

void SetStats(std::int64_t c, double mean, double var, const MbconvNorm& norm, const NormStats& stats) {
  const double inverse = 1 / std::sqrt(var + norm.eps);
  const double factor = static_cast<double>(norm.scale[c]) * inverse;
  stats.mean[c] = static_cast<float>(mean);
  stats.inverse_deviation[c] = static_cast<float>(inverse);
  stats.factor[c] = static_cast<float>(factor);
  stats.offset[c] = static_cast<float>(static_cast<double>(norm.shift[c]) - mean * factor);
}

void ClearPadding(std::int64_t channels, const NormStats& stats) {
  for (float* values : {stats.factor, stats.offset, stats.mean, stats.inverse_deviation}) {
    std::fill(values + channels, values + Padded(channels), 0.0f);
  }
}

}  // namespace

std::vector<double> PartialSums::Totals() const {
  std::vector<double> totals(static_cast<std::size_t>(2 * channels), 0.0);
  for (std::int64_t i = 0; i < items; ++i) {
    for (std::int64_t which = 0; which < 2; ++which) {
      const float* from = data + (2 * i + which) * Padded(channels);
      double* to = totals.data() + which * channels;
      for (std::int64_t c = 0; c < channels; ++c) to[c] += static_cast<double>(from[c]);
    }
  }
  return totals;
}

void FinishBatchStatistics(const PartialSums& sums, std::int64_t count, const float* shift, const MbconvNorm& norm,
                           bool track, const NormStats& stats) {
  const double n = static_cast<double>(count);
  const std::vector<double> totals = sums.Totals();
  for (std::int64_t c = 0; c < sums.channels; ++c) {
    const double mean = totals[static_cast<std::size_t>(c)] / n;
    const double spread = totals[static_cast<std::size_t>(sums.channels + c)] / n - mean * mean;
    // Not std::max: a NaN has to stay one.
    const double var = spread < 0 ? 0 : spread;
    SetStats(c, mean, var, norm, stats);
    if (!track || count < 2 || norm.running_mean == nullptr) continue;
    const double share = norm.momentum;
    const double whole_mean = mean + static_cast<double>(shift[c]);
    norm.running_mean[c] =
        static_cast<float>((1 - share) * static_cast<double>(norm.running_mean[c]) + share * whole_mean);
    norm.running_var[c] =
        static_cast<float>((1 - share) * static_cast<double>(norm.running_var[c]) + share * var * n / (n - 1));
  }
  ClearPadding(sums.channels, stats);
}

void UseRunningStatistics(std::int64_t channels, const MbconvNorm& norm, const NormStats& stats) {
  for (std::int64_t c = 0; c < channels; ++c) {
    SetStats(c, static_cast<double>(norm.running_mean[c]), static_cast<double>(norm.running_var[c]), norm, stats);
  }
  ClearPadding(channels, stats);
}

void FinishNormGradient(const PartialSums& sums, std::int64_t count, bool batch_statistics, const NormStats& stats,
                        float* grad, float* value, float* constant, float* dscale, float* dshift) {
  const double n = static_cast<double>(count);
  const std::vector<double> totals = sums.Totals();
  for (std::int64_t c = 0; c < sums.channels; ++c) {
    const double sum = totals[static_cast<std::size_t>(c)];
    const double product = totals[static_cast<std::size_t>(sums.channels + c)];
    const double factor = static_cast<double>(stats.factor[c]);
    const double inverse = static_cast<double>(stats.inverse_deviation[c]);
    const double slope = batch_statistics ? -factor * inverse * inverse * product / n : 0;
    grad[c] = stats.factor[c];
    value[c] = static_cast<float>(slope);
    // With the rounded slope: what is left of ΣdL/dz, which is 0, adds up over all pixels.
    const double rounded = static_cast<double>(value[c]) * static_cast<double>(stats.mean[c]);
    constant[c] = static_cast<float>(batch_statistics ? -factor * sum / n - rounded : 0);
    if (dscale != nullptr) dscale[c] = static_cast<float>(product * inverse);
    if (dshift != nullptr) dshift[c] = static_cast<float>(sum);
  }
  for (float* values : {grad, value, constant}) std::fill(values + sums.channels, values + Padded(sums.channels), 0.0f);
}

}  // namespace nas::detail
