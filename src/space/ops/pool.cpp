// SPDX-License-Identifier: Apache-2.0
// Max or average pooling; "same" padding at stride 1, none at larger strides; averages leave the padding out.
// Reads: in_channels, out_channels (equal), kernel, stride, pool, act, use_bn, dropout, ops_order.
#include "nas/core/text.h"
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class Pool final : public Op {
 public:
  std::string_view name() const override { return "pool"; }

  void Check(const Layer& layer, MapShape in) const override {
    CheckKeepsChannels(layer, in);
    CheckStride(layer);
    CheckOrder(layer);
    if (layer.pool != "max" && layer.pool != "avg") {
      FailLayer(layer, StrCat("pool \"", layer.pool, "\"; max and avg are possible"));
    }
    if (layer.stride == 1) {
      CheckWindow(layer);
    } else if (layer.kernel < 1 || layer.kernel > in.side) {
      FailLayer(layer, StrCat("kernel ", layer.kernel, " on a map of side ", in.side));
    }
  }
  MapShape OutputShape(const Layer& layer, MapShape in) const override {
    if (layer.stride == 1) return in;
    return {(in.side - layer.kernel) / layer.stride + 1, in.channels};
  }
  std::int64_t Params(const Layer& layer) const override { return BnParams(layer); }
  Macs CountMacs(const Layer&, MapShape) const override { return {0}; }
  int Launches(const Layer& layer) const override { return layer.use_bn || layer.act != Activation::kNone ? 2 : 1; }
  std::string LatencyKey(const Layer& layer, MapShape) const override { FailLatency(layer, Label(layer)); }
  std::string Label(const Layer& layer) const override {
    return StrCat(layer.pool, " pool", layer.kernel, "x", layer.kernel, StrideSuffix(layer));
  }
};

}  // namespace

const Op& PoolOp() {
  static const Pool op;
  return op;
}

}  // namespace nas::detail
