// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nas {

/// One step of SGD with Nesterov momentum on some values, in PyTorch's order and with its roundings:
///   d = g + decay·w; m = first ? d : momentum·m + d; w −= rate·(d + momentum·m).
struct SgdCoefficients {
  float rate = 0;
  float momentum = 0;  ///< 0: no momentum, and `m` is not touched
  float decay = 0;     ///< 0: none
  bool first = false;  ///< `m` holds nothing yet
};

/// Reads and writes each of w, g, m [n] once.
void SgdStep(const SgdCoefficients& coefficients, std::int64_t n, float* w, const float* g, float* m);

}  // namespace nas
