// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

#include "nas/kernels/mbconv.h"
#include "nas/nn/bn_mode.h"
#include "nas/space/architecture.h"
#include "op_module.h"

namespace nas::detail {

/// Batch normalisation over [N, H, W] (or [N] for vectors). The mode is an argument: nothing to set and forget.
class BatchNorm {
 public:
  BatchNorm(int channels, const BatchNormSpec& spec);

  /// A new tensor that autograd has not saved: it may be changed in place.
  at::Tensor Forward(const at::Tensor& x, BnMode mode);
  void Visit(const std::string& name, ModuleVisitor& visitor);

  const at::Tensor& weight() const { return weight_; }
  const at::Tensor& bias() const { return bias_; }
  /// Running statistics and constants for a kernel that normalises itself; `counts`: this forward is counted as one
  /// that moves them.
  MbconvNorm FusedNorm(bool counts);

  /// Starts and ends what kAccumulate forwards collect. `FinishPooling` stores the pooled mean and unbiased variance as
  /// running statistics (proxyless.md N2), or leaves them when no forward came by.
  void BeginPooling();
  void FinishPooling();

  /// Per-channel factor and shift of kEval, in float64: y = x·factor + shift.
  at::Tensor EvalFactor() const;
  at::Tensor EvalShift() const;

 private:
  struct Pool {
    at::Tensor mean_sum;    ///< Σ n·m [C], float64
    at::Tensor square_sum;  ///< Σ n·(v + m²) [C], float64
    std::int64_t count = 0;
  };
  void Accumulate(const at::Tensor& x);

  double momentum_;
  double eps_;
  at::Tensor weight_;
  at::Tensor bias_;
  at::Tensor running_mean_;
  at::Tensor running_var_;
  at::Tensor num_batches_tracked_;  ///< int64, stays on the CPU: counting costs no kernel launch
  std::unique_ptr<Pool> pool_;
};

}  // namespace nas::detail
