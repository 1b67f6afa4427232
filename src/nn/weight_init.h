// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tensor_list.h"

namespace nas::detail {

/// Start values of proxyless.md §9: conv N(0, √(2/(k²·C_out))) ("he_fout"), linear U(±1/√fan_in), biases 0, BN 1 and 0.
/// Each tensor is a pure function of (seed, its name): independent of order, of pruning and of any global generator.
void InitializeTensors(const std::vector<NamedTensor>& tensors, std::uint64_t seed);

}  // namespace nas::detail
