// SPDX-License-Identifier: Apache-2.0
// Fully connected layer on the flattened map. Reads: in_channels, out_channels (features), act, use_bn, bias, dropout,
// ops_order.
#include "nas/core/text.h"
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class Linear final : public Op {
 public:
  std::string_view name() const override { return "linear"; }

  void Check(const Layer& layer, MapShape in) const override {
    const std::int64_t features = Area(in.side) * in.channels;
    if (features != layer.in_channels) {
      FailLayer(layer, StrCat("takes ", layer.in_channels, " features, but ", in.channels, " channels of side ",
                              in.side, " enter"));
    }
    CheckChannels(layer, {1, layer.in_channels});
    CheckOrder(layer);
  }
  MapShape OutputShape(const Layer& layer, MapShape) const override { return {1, layer.out_channels}; }
  std::int64_t Params(const Layer& layer) const override {
    return Weights(layer) + (layer.bias ? layer.out_channels : 0) + BnParams(layer);
  }
  Macs CountMacs(const Layer& layer, MapShape) const override { return {Weights(layer)}; }
  int Launches(const Layer&) const override { return 1; }
  /// `in` is the map before the global pooling when that stands directly in front: such a row contains the pooling.
  std::string LatencyKey(const Layer& layer, MapShape in) const override {
    return FormatKey("logits", {.h = in.side, .cin = layer.in_channels, .hout = 1, .cout = layer.out_channels});
  }
  std::string Label(const Layer&) const override { return "linear"; }

 private:
  static std::int64_t Weights(const Layer& layer) {
    return static_cast<std::int64_t>(layer.in_channels) * layer.out_channels;
  }
};

}  // namespace

const Op& LinearOp() {
  static const Linear op;
  return op;
}

}  // namespace nas::detail
