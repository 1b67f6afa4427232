// SPDX-License-Identifier: Apache-2.0
#include "sgd_step.h"

#include "nas/kernels/instruction_set.h"

namespace nas {
namespace {

inline float MultiplyAdd(float a, float b, float c) { return a * b + c; }

#include "sgd_loops.h"

}  // namespace

void SgdStep(const SgdCoefficients& coefficients, std::int64_t n, float* w, const float* g, float* m) {
#ifdef NAS_X86_KERNELS
  if (BestInstructionSet() != InstructionSet::kGeneric) return detail::SgdStepAvx2(coefficients, n, w, g, m);
#endif
  SgdStepImpl(coefficients, n, w, g, m);
}

}  // namespace nas
