// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nas {

/// How BatchNorm behaves in one forward pass. An argument of every forward, never a hidden state of the module: a probe
/// that forgot to restore a mode would silently move running statistics (proxyless.md N2).
enum class BnMode {
  kTrain,       ///< batch statistics; running statistics are updated
  kProbe,       ///< batch statistics; running statistics and num_batches_tracked stand still
  kEval,        ///< running statistics
  kAccumulate,  ///< batch statistics; pooled sums are collected in float64 for recalibration
};

}  // namespace nas
