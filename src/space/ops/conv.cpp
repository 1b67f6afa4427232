// SPDX-License-Identifier: Apache-2.0
// Reads: in_channels, out_channels, kernel, stride, dilation, groups, act, use_bn, bias, use_se, shuffle, skip,
// dropout, ops_order.
#include "nas/core/text.h"
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class Conv final : public Op {
 public:
  std::string_view name() const override { return "conv"; }

  void Check(const Layer& layer, MapShape in) const override {
    CheckChannels(layer, in);
    CheckWindow(layer);
    CheckGroups(layer, layer.groups, layer.in_channels, "input");
    CheckGroups(layer, layer.groups, layer.out_channels, "output");
    CheckOrder(layer);
    CheckSkip(layer);
  }

  MapShape OutputShape(const Layer& layer, MapShape in) const override {
    return {StridedSide(in.side, layer.stride), layer.out_channels};
  }

  std::int64_t Params(const Layer& layer) const override {
    return Weights(layer) + (layer.bias ? layer.out_channels : 0) + BnParams(layer) +
           (layer.use_se ? SeParams(layer.out_channels) : 0);
  }

  Macs CountMacs(const Layer& layer, MapShape in) const override {
    return {Weights(layer) * Area(StridedSide(in.side, layer.stride)) +
            (layer.use_se ? SeMacs(layer.out_channels) : 0)};
  }

  int Launches(const Layer& layer) const override { return layer.use_se ? 1 + kSeLaunches : 1; }

  /// The place decides the op of the key: the stem is `conv`, head convs are `conv_1` before and `conv_2` after the
  /// pooling, a 1×1 conv in the body is `conv1x1`.
  std::string LatencyKey(const Layer& layer, MapShape in) const override {
    KeyFields fields{
        .h = in.side, .cin = layer.in_channels, .hout = StridedSide(in.side, layer.stride), .cout = layer.out_channels};
    const bool plain = layer.groups == 1 && layer.dilation == 1 && !layer.use_se && !layer.skip;
    if (plain && layer.name == "first_conv" && layer.kernel == 3 && layer.stride <= 2) {
      return FormatKey("conv", fields);
    }
    const bool head = layer.name == "final_expand_layer" || layer.name == "feature_mix_layer";
    if (plain && layer.kernel == 1 && head && layer.stride == 1) {
      return FormatKey(layer.name == "feature_mix_layer" && in.side == 1 && !layer.use_bn ? "conv_2" : "conv_1",
                       fields);
    }
    if (plain && layer.kernel == 1 && layer.name.starts_with("blocks.")) {
      fields.s = layer.stride;
      return FormatKey("conv1x1", fields);
    }
    FailLatency(layer, Label(layer));
  }

  std::string Label(const Layer& layer) const override {
    const std::string groups = layer.groups > 1 ? StrCat(" g", layer.groups) : "";
    const std::string dilation = layer.dilation > 1 ? StrCat(" d", layer.dilation) : "";
    return StrCat("conv", layer.kernel, "x", layer.kernel, groups, dilation, StrideSuffix(layer));
  }

 private:
  static std::int64_t Weights(const Layer& layer) {
    return static_cast<std::int64_t>(layer.in_channels) * layer.out_channels / layer.groups * layer.kernel *
           layer.kernel;
  }
};

}  // namespace

const Op& ConvOp() {
  static const Conv op;
  return op;
}

}  // namespace nas::detail
