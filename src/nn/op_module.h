// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

#include "nas/nn/bn_mode.h"
#include "nas/nn/kernel_mode.h"
#include "nas/space/architecture.h"

namespace nas::detail {

class BatchNorm;
class Dropout;

/// What a tensor is for: decides how it starts (proxyless.md §9) and whether it is trained.
enum class TensorRole { kConvWeight, kLinearWeight, kBias, kScale, kShift, kRunningMean, kRunningVar, kCounter };

inline bool IsTrained(TensorRole role) { return role <= TensorRole::kShift; }

/// Walks the parts of an op in a fixed order. Names are full state-dict names.
class ModuleVisitor {
 public:
  virtual ~ModuleVisitor() = default;
  /// A tensor that the op owns; the visitor may replace it.
  virtual void VisitTensor(const std::string& name, at::Tensor& tensor, TensorRole role) = 0;
  virtual void VisitBatchNorm(const std::string& /*name*/, BatchNorm& /*norm*/) {}
  virtual void VisitDropout(const std::string& /*name*/, Dropout& /*dropout*/) {}
  /// The choice of an op that has several ways to compute.
  virtual void VisitKernelMode(KernelMode& /*mode*/) {}
};

/// One layer that runs: the counterpart, with tensors, of an `Op` of the catalogue. Maps are [N, C, H, W],
/// channels_last.
class OpModule {
 public:
  OpModule() = default;
  virtual ~OpModule() = default;
  OpModule(const OpModule&) = delete;
  OpModule& operator=(const OpModule&) = delete;

  /// May return `x` itself; never changes `x`.
  virtual at::Tensor Forward(const at::Tensor& x, BnMode mode) = 0;
  /// op(x) + x. Its own function because some ops can add in place, or within their last pass over memory.
  virtual at::Tensor ForwardWithShortcut(const at::Tensor& x, BnMode mode);
  virtual void Visit(const std::string& prefix, ModuleVisitor& visitor);
  /// Merges each BN into the weights in front of it, where it stands right behind them; only kEval forwards after that.
  virtual void FoldBatchNorm() {}
};

/// The op of a layer with unset values. Throws kInput when there is no module for it.
std::unique_ptr<OpModule> MakeOpModule(const Layer& layer, const BatchNormSpec& bn);

/// Sets the choice of every op in `op`.
void SetKernelMode(OpModule& op, KernelMode mode);

/// `prefix.name`, or `name` without a prefix.
std::string JoinName(const std::string& prefix, const std::string& name);

}  // namespace nas::detail
