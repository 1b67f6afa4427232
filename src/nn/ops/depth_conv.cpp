// SPDX-License-Identifier: Apache-2.0
// `DepthConvLayer`: k×k depthwise then 1×1 (in groups, optionally shuffled), one BN and activation for both.
#include <ATen/ATen.h>

#include "builtin_ops.h"
#include "conv_layer.h"
#include "ordered_op.h"

namespace nas::detail {
namespace {

class DepthConvModule final : public OrderedOp {
 public:
  DepthConvModule(const Layer& layer, const BatchNormSpec& bn)
      : OrderedOp(layer, bn, DropUnit::kChannel),
        depthwise_({.in_channels = layer.in_channels,
                    .out_channels = layer.in_channels,
                    .kernel = layer.kernel,
                    .stride = layer.stride,
                    .dilation = layer.dilation,
                    .groups = layer.in_channels}),
        point_({.in_channels = layer.in_channels,
                .out_channels = layer.out_channels,
                .groups = layer.groups,
                .bias = layer.bias}),
        shuffle_groups_(layer.shuffle ? layer.groups : 1) {}

 private:
  at::Tensor Weigh(const at::Tensor& x) override {
    at::Tensor y = point_.Forward(depthwise_.Forward(x));
    return shuffle_groups_ > 1 ? ShuffleChannels(y, shuffle_groups_) : y;
  }
  void VisitWeights(const std::string& prefix, ModuleVisitor& visitor) override {
    depthwise_.Visit(JoinName(prefix, "depth_conv"), visitor);
    point_.Visit(JoinName(prefix, "point_conv"), visitor);
  }
  bool Fold(const BatchNorm& norm) override {
    if (shuffle_groups_ > 1) return false;
    point_.Fold(norm);
    return true;
  }

  Conv2d depthwise_;
  Conv2d point_;
  int shuffle_groups_;
};

}  // namespace

std::unique_ptr<OpModule> MakeDepthConv(const Layer& layer, const BatchNormSpec& bn) {
  return std::make_unique<DepthConvModule>(layer, bn);
}

}  // namespace nas::detail
