// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/kernels/sgd_step.h"

namespace nas::detail {

void SgdStepAvx2(const SgdCoefficients& c, std::int64_t n, float* w, const float* g, float* m);  // x86 with FMA only

}  // namespace nas::detail
