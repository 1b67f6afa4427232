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

double PartialSums::Total(int which, std::int64_t channel) const {
  const std::int64_t step = 2 * Padded(channels);
  const float* p = data + which * Padded(channels) + channel;
  double sum = 0;
  for (std::int64_t i = 0; i < items; ++i) sum += static_cast<double>(p[i * step]);
  return sum;
}

void FinishBatchStatistics(const PartialSums& sums, std::int64_t count, const float* shift, const MbconvNorm& norm,
                           bool track, const NormStats& stats) {
  const double n = static_cast<double>(count);
  for (std::int64_t c = 0; c < sums.channels; ++c) {
    const double mean = sums.Total(0, c) / n;
    const double spread = sums.Total(1, c) / n - mean * mean;
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
  for (std::int64_t c = 0; c < sums.channels; ++c) {
    const double sum = sums.Total(0, c), product = sums.Total(1, c);
    const double factor = static_cast<double>(stats.factor[c]);
    const double inverse = static_cast<double>(stats.inverse_deviation[c]);
    const double slope = batch_statistics ? -factor * inverse * inverse * product / n : 0;
    grad[c] = stats.factor[c];
    value[c] = static_cast<float>(slope);
    constant[c] =
        static_cast<float>(batch_statistics ? -factor * sum / n - slope * static_cast<double>(stats.mean[c]) : 0);
    if (dscale != nullptr) dscale[c] = static_cast<float>(product * inverse);
    if (dshift != nullptr) dshift[c] = static_cast<float>(sum);
  }
  for (float* values : {grad, value, constant}) std::fill(values + sums.channels, values + Padded(sums.channels), 0.0f);
}

}  // namespace nas::detail
