// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tensor_list.h"

namespace nas::detail {

/// Start values: conv and linear weights U(±1/√fan_in), fan_in = inputs of one output value (k² for a depthwise conv);
/// biases 0, BN 1 and 0. Not the released code's N(0, √(2/(k²·C_out))): before a BN the norm of a weight only sets how
/// fast it turns, and that one makes depthwise weights turn many times faster than projections; short trainings suffer.
/// Each tensor is a pure function of (seed, its name): independent of order, of pruning and of any global generator.
void InitializeTensors(const std::vector<NamedTensor>& tensors, std::uint64_t seed);

}  // namespace nas::detail
