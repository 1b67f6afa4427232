// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

#include "nas/nn/network.h"

namespace nas {

/// Sets the running statistics of every BN to the pooled statistics of the given batches (proxyless.md N2): each BN
/// normalises by its batch; mean = Σ n_b·m_b/N, var = Σ n_b·(v_b + m_b²)/N − mean², stored × N/(N − 1), in float64.
/// `next_batch` fills images [N, 3, R, R] and returns false at the end. Returns the number of images used.
std::int64_t RecalibrateBatchNorm(Network& network, const std::function<bool(at::Tensor* images)>& next_batch);

}  // namespace nas
