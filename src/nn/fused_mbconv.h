// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "batch_norm.h"
#include "nas/kernels/mbconv.h"
#include "nas/nn/bn_mode.h"
#include "nas/nn/kernel_mode.h"

namespace nas::detail {

/// The tensors of an MBConv block: weights of its convolutions and its BNs, [0] undefined and null without expansion.
struct FusedMbconvParts {
  at::Tensor weights[3];
  BatchNorm* norms[3] = {};
};

/// Whether FusedMbconv is to run for this input and these weights: float32 on the CPU, outside autocast, in a mode
/// without pooled sums, without statistics of other processes, and not told to leave it to LibTorch. `auto` and `fused`
/// do not differ in this yet.
bool CanFuse(KernelMode kernels, const at::Tensor& x, const at::Tensor& weight, BnMode mode);

/// An inverted residual block in one node of the graph (kernels of performance.md §3): same results as the chain of its
/// modules up to rounding. `shape` has everything but batch, height and width. Keeps two or three maps for backward.
at::Tensor FusedMbconv(MbconvShape shape, const FusedMbconvParts& parts, const at::Tensor& x, BnMode mode);

}  // namespace nas::detail
