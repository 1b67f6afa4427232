// SPDX-License-Identifier: Apache-2.0
// Separable conv: k×k depthwise (no bias) then 1×1 in groups, one BN and activation for both (tree networks).
// Reads: in_channels, out_channels, kernel, stride, dilation, groups (of the 1×1), act, use_bn, bias, shuffle, dropout,
// ops_order.
#include "nas/core/text.h"
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class DepthConv final : public Op {
 public:
  std::string_view name() const override { return "depth_conv"; }

  void Check(const Layer& layer, MapShape in) const override {
    CheckChannels(layer, in);
    CheckWindow(layer);
    CheckGroups(layer, layer.groups, layer.in_channels, "input");
    CheckGroups(layer, layer.groups, layer.out_channels, "output");
    CheckOrder(layer);
  }
  MapShape OutputShape(const Layer& layer, MapShape in) const override {
    return {StridedSide(in.side, layer.stride), layer.out_channels};
  }
  std::int64_t Params(const Layer& layer) const override {
    return Weights(layer) + (layer.bias ? layer.out_channels : 0) + BnParams(layer);
  }
  Macs CountMacs(const Layer& layer, MapShape in) const override {
    return {Weights(layer) * Area(StridedSide(in.side, layer.stride))};
  }
  int Launches(const Layer&) const override { return 2; }
  std::string LatencyKey(const Layer& layer, MapShape) const override { FailLatency(layer, Label(layer)); }
  std::string Label(const Layer& layer) const override {
    const std::string dilation = layer.dilation > 1 ? StrCat(" d", layer.dilation) : "";
    return StrCat("sep", layer.kernel, "x", layer.kernel, dilation, StrideSuffix(layer));
  }

 private:
  static std::int64_t Weights(const Layer& layer) {
    return static_cast<std::int64_t>(layer.in_channels) * layer.kernel * layer.kernel +
           static_cast<std::int64_t>(layer.in_channels) * layer.out_channels / layer.groups;
  }
};

}  // namespace

const Op& DepthConvOp() {
  static const DepthConv op;
  return op;
}

}  // namespace nas::detail
