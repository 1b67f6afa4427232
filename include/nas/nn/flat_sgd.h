// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nas/kernels/sgd_step.h"

namespace nas {

/// The values of one parameter, float32 on the CPU, each array in the same order.
struct SgdSegment {
  float* weights = nullptr;
  const float* gradients = nullptr;
  float* buffer = nullptr;  ///< momentum; null without
  std::int64_t size = 0;
  SgdCoefficients coefficients;
};

/// SgdStep on all of them in one pass, an equal part for each of LibTorch's threads. The bits do not depend on the cut.
void StepFlat(const std::vector<SgdSegment>& segments);

}  // namespace nas
