// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batch_norm.h"
#include "dropout.h"
#include "op_module.h"

namespace nas::detail {

/// Base of ops whose weights, BN and activation run in the order that `Layer::ops_order` says; dropout stands right
/// before the weights. With BN before the weights it has the input's channels, else the output's.
class OrderedOp : public OpModule {
 public:
  OrderedOp(const Layer& layer, const BatchNormSpec& bn, DropUnit dropped);

  at::Tensor Forward(const at::Tensor& x, BnMode mode) final;
  void Visit(const std::string& prefix, ModuleVisitor& visitor) final;
  void FoldBatchNorm() final;

 protected:
  /// The weight step; may return `x` itself where there are no weights.
  virtual at::Tensor Weigh(const at::Tensor& x) = 0;
  /// Comes after BN and activation (squeeze-and-excitation of a ConvLayer).
  virtual at::Tensor Finish(const at::Tensor& x) { return x; }
  virtual void VisitWeights(const std::string& /*prefix*/, ModuleVisitor& /*visitor*/) {}
  virtual void VisitLast(const std::string& /*prefix*/, ModuleVisitor& /*visitor*/) {}
  /// Takes in the BN right behind the weights; false when there are none to take it.
  virtual bool Fold(const BatchNorm& /*norm*/) { return false; }

 private:
  enum class Step { kWeight, kNorm, kAct };
  std::vector<Step> steps_;
  std::optional<BatchNorm> norm_;
  Activation act_;
  Dropout dropout_;
};

}  // namespace nas::detail
