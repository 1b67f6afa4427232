// SPDX-License-Identifier: Apache-2.0
#include "stages.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define NAS_LANES 4

namespace nas::detail {
namespace {

#include "simd.h"

#include "activations.h"
#include "gemm.h"

#include "pointwise_stages.h"

#include "depthwise_stages.h"

#include "depthwise_grad_stage.h"

}  // namespace

const Stages& GenericStages() {
  static constexpr Stages kStages{Panels,     PanelAt,        PackPanel,    Expand,      Depthwise,
                                  Project,    Output,         OutputSums,   ProjectGrad, DepthwiseGrad,
                                  ExpandGrad, ProjectWeights, ExpandWeights};
  return kStages;
}

}  // namespace nas::detail
