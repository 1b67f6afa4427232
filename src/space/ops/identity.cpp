// SPDX-License-Identifier: Apache-2.0
// y = x, or BN and activation alone (tree networks). Reads: in_channels, out_channels, act, use_bn, dropout, ops_order.
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class Identity final : public Op {
 public:
  std::string_view name() const override { return "identity"; }

  void Check(const Layer& layer, MapShape in) const override {
    CheckKeepsChannels(layer, in);
    if (layer.stride != 1) FailLayer(layer, "only possible at stride 1, where the map keeps its shape");
    CheckOrder(layer);
  }
  MapShape OutputShape(const Layer&, MapShape in) const override { return in; }
  std::int64_t Params(const Layer& layer) const override { return BnParams(layer); }
  Macs CountMacs(const Layer&, MapShape) const override { return {0}; }
  int Launches(const Layer& layer) const override { return IsPlainIdentity(layer) ? 0 : 1; }
  std::string LatencyKey(const Layer& layer, MapShape) const override {
    if (!IsPlainIdentity(layer)) FailLatency(layer, "BN or activation without a conv");
    return {};
  }
  std::string Label(const Layer& layer) const override { return IsPlainIdentity(layer) ? "identity" : "bn act"; }
};

}  // namespace

const Op& IdentityOp() {
  static const Identity op;
  return op;
}

}  // namespace nas::detail
