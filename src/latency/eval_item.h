// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/latency/evaluation.h"
#include "nas/latency/latency_model.h"

namespace nas {

/// 95 % of a normal distribution lie within so many standard deviations.
inline constexpr double kNormalQuantile = 1.96;

/// A block's prediction beside its measured latency, ms.
EvalItem ItemOf(const BlockPrediction& block, double truth);

}  // namespace nas
