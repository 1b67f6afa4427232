// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nas/kernels/mbconv.h"
#include "stages.h"

namespace nas::detail {

/// What both passes need of one BN, per channel (padded): t = factor·z + offset; mean and 1/σ of z as it is stored.
struct NormStats {
  float* factor = nullptr;
  float* offset = nullptr;
  float* mean = nullptr;
  float* inverse_deviation = nullptr;
};

/// Partial sums of the items of a pass: [item][2][Padded(channels)].
struct PartialSums {
  const float* data = nullptr;
  std::int64_t items = 0;
  std::int64_t channels = 0;

  /// Both sums over the items, in their order and in float64: [2][channels].
  std::vector<double> Totals() const;
};

/// From Σz and Σz² over `count` values per channel; z is stored less `shift`. Moves the running statistics when told
/// to and when there is a variance to speak of (count > 1).
void FinishBatchStatistics(const PartialSums& sums, std::int64_t count, const float* shift, const MbconvNorm& norm,
                           bool track, const NormStats& stats);

/// From the running statistics; z is stored as it is.
void UseRunningStatistics(std::int64_t channels, const MbconvNorm& norm, const NormStats& stats);

/// Backward pass of BN from Σg and Σg·(z − mean): dL/dz = grad·g + value·z + constant, and the gradients of scale and
/// shift (null: not wanted).
void FinishNormGradient(const PartialSums& sums, std::int64_t count, bool batch_statistics, const NormStats& stats,
                        float* grad, float* value, float* constant, float* dscale, float* dshift);

}  // namespace nas::detail
