// SPDX-License-Identifier: Apache-2.0
#include "sgd_step.h"

namespace nas::detail {
namespace {

inline float MultiplyAdd(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

#include "sgd_loops.h"

}  // namespace

void SgdStepAvx2(const SgdCoefficients& c, std::int64_t n, float* w, const float* g, float* m) {
  SgdStepImpl(c, n, w, g, m);
}

}  // namespace nas::detail
