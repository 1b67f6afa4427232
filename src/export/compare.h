// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "nas/export/exporter.h"

namespace nas::detail {

/// Fills in difference, agreement and, where the difference exceeds `tolerance` times the largest |logit| (taken as at
/// least `least_scale`), the fault. Relative, because the logits of random weights may be tiny. Outputs that are not
/// finite or of another shape are a fault.
void CompareLogits(const at::Tensor& got, const at::Tensor& expected, double tolerance, VerifyResult* result,
                   double least_scale = 0);

/// float32 in another runtime: sums come in another order.
inline constexpr double kFloatTolerance = 1e-4;
/// Half precision: 11 bits of mantissa over some tens of layers.
inline constexpr double kHalfTolerance = 5e-2;

}  // namespace nas::detail
