// SPDX-License-Identifier: Apache-2.0
// `ConvLayer`: conv, BN, activation in any order, optional channel shuffle after the conv, optional SE at the end.
#include <ATen/ATen.h>

#include "builtin_ops.h"
#include "conv_layer.h"
#include "ordered_op.h"

namespace nas::detail {
namespace {

class ConvModule final : public OrderedOp {
 public:
  ConvModule(const Layer& layer, const BatchNormSpec& bn)
      : OrderedOp(layer, bn, DropUnit::kChannel),
        conv_({.in_channels = layer.in_channels,
               .out_channels = layer.out_channels,
               .kernel = layer.kernel,
               .stride = layer.stride,
               .dilation = layer.dilation,
               .groups = layer.groups,
               .bias = layer.bias}),
        shuffle_groups_(layer.shuffle ? layer.groups : 1) {
    if (layer.use_se) se_.emplace(layer.out_channels);
  }

 private:
  at::Tensor Weigh(const at::Tensor& x) override {
    at::Tensor y = conv_.Forward(x);
    return shuffle_groups_ > 1 ? ShuffleChannels(y, shuffle_groups_) : y;
  }
  at::Tensor Finish(const at::Tensor& x) override { return se_ ? se_->Forward(x) : x; }
  void VisitWeights(const std::string& prefix, ModuleVisitor& visitor) override {
    conv_.Visit(JoinName(prefix, "conv"), visitor);
  }
  void VisitLast(const std::string& prefix, ModuleVisitor& visitor) override {
    if (se_) se_->Visit(JoinName(prefix, "se"), visitor);
  }
  bool Fold(const BatchNorm& norm) override {
    if (shuffle_groups_ > 1) return false;
    conv_.Fold(norm);
    return true;
  }

  Conv2d conv_;
  int shuffle_groups_;
  std::optional<SqueezeExcite> se_;
};

}  // namespace

std::unique_ptr<OpModule> MakeConv(const Layer& layer, const BatchNormSpec& bn) {
  return std::make_unique<ConvModule>(layer, bn);
}

}  // namespace nas::detail
