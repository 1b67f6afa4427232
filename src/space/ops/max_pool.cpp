// SPDX-License-Identifier: Apache-2.0
// Max pooling with padding ⌊k/2⌋ at every stride, as ResNets have after the stem.
// Reads: in_channels, out_channels (equal), kernel, stride.
#include "nas/core/text.h"
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class MaxPool final : public Op {
 public:
  std::string_view name() const override { return "max_pool"; }

  void Check(const Layer& layer, MapShape in) const override {
    CheckKeepsChannels(layer, in);
    CheckWindow(layer);
  }
  MapShape OutputShape(const Layer& layer, MapShape in) const override {
    return {StridedSide(in.side, layer.stride), in.channels};
  }
  std::int64_t Params(const Layer&) const override { return 0; }
  Macs CountMacs(const Layer&, MapShape) const override { return {0}; }
  int Launches(const Layer&) const override { return 1; }
  std::string LatencyKey(const Layer& layer, MapShape) const override { FailLatency(layer, Label(layer)); }
  std::string Label(const Layer& layer) const override {
    return StrCat("max pool", layer.kernel, "x", layer.kernel, StrideSuffix(layer));
  }
};

}  // namespace

const Op& MaxPoolOp() {
  static const MaxPool op;
  return op;
}

}  // namespace nas::detail
