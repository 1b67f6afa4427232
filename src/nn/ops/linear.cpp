// SPDX-License-Identifier: Apache-2.0
// `LinearLayer` on the flattened map: [N, C, H, W] → [N, features].
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "builtin_ops.h"
#include "ordered_op.h"

namespace nas::detail {
namespace {

class LinearModule final : public OrderedOp {
 public:
  LinearModule(const Layer& layer, const BatchNormSpec& bn)
      : OrderedOp(layer, bn, DropUnit::kElement),
        weight_(at::empty({layer.out_channels, layer.in_channels}, at::kFloat)) {
    if (layer.bias) bias_ = at::empty({layer.out_channels}, at::kFloat);
  }

 private:
  at::Tensor Weigh(const at::Tensor& x) override { return at::linear(x.flatten(1), weight_, bias_); }
  void VisitWeights(const std::string& prefix, ModuleVisitor& visitor) override {
    visitor.VisitTensor(JoinName(prefix, "linear.weight"), weight_, TensorRole::kLinearWeight);
    if (bias_.defined()) visitor.VisitTensor(JoinName(prefix, "linear.bias"), bias_, TensorRole::kBias);
  }
  bool Fold(const BatchNorm& norm) override {
    const at::NoGradGuard no_grad;
    const at::Tensor factor = norm.EvalFactor();
    at::Tensor shift = norm.EvalShift();
    if (bias_.defined()) shift = shift + bias_.to(at::kDouble) * factor;
    weight_ = (weight_.to(at::kDouble) * factor.unsqueeze(1)).to(weight_.scalar_type());
    bias_ = shift.to(weight_.scalar_type());
    return true;
  }

  at::Tensor weight_;
  at::Tensor bias_;  ///< undefined = none
};

}  // namespace

std::unique_ptr<OpModule> MakeLinear(const Layer& layer, const BatchNormSpec& bn) {
  return std::make_unique<LinearModule>(layer, bn);
}

}  // namespace nas::detail
