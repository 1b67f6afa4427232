// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "nas/export/exporter.h"

namespace nas::detail {

/// Fills in difference, agreement and, where the difference exceeds `tolerance` times max(1, largest |logit|), the
/// fault. Outputs that are not finite or of another shape are a fault.
void CompareLogits(const at::Tensor& got, const at::Tensor& expected, double tolerance, VerifyResult* result);

/// float32 in another runtime: sums come in another order.
inline constexpr double kFloatTolerance = 1e-4;
/// Half precision: 11 bits of mantissa over some tens of layers.
inline constexpr double kHalfTolerance = 5e-2;

}  // namespace nas::detail
