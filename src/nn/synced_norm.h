// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "nas/nn/sync_batch_norm.h"

namespace nas::detail {

/// A map normalised by the statistics of all processes' maps.
struct SyncedNorm {
  at::Tensor y;         ///< a new tensor that autograd has not saved
  at::Tensor mean;      ///< [C], float64, the same bits in all processes
  at::Tensor variance;  ///< likewise, of the maps at hand (biased)
  double count = 0;     ///< values per channel in all processes
};

/// `x`: [N, C, …]. Collective; so is its backward.
SyncedNorm NormalizeSynced(StatisticsExchange& exchange, const at::Tensor& x, const at::Tensor& weight,
                           const at::Tensor& bias, double eps);

}  // namespace nas::detail
