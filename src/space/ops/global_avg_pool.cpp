// SPDX-License-Identifier: Apache-2.0
// Mean over the whole map. Reads: in_channels, out_channels (equal).
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class GlobalAvgPool final : public Op {
 public:
  std::string_view name() const override { return "global_avg_pool"; }

  void Check(const Layer& layer, MapShape in) const override { CheckKeepsChannels(layer, in); }
  MapShape OutputShape(const Layer&, MapShape in) const override { return {1, in.channels}; }
  std::int64_t Params(const Layer&) const override { return 0; }
  Macs CountMacs(const Layer&, MapShape) const override { return {0}; }
  int Launches(const Layer&) const override { return 1; }
  std::string LatencyKey(const Layer& layer, MapShape in) const override {
    return FormatKey("avgpool2d", {.h = in.side, .cin = layer.in_channels, .hout = 1, .cout = layer.out_channels});
  }
  std::string Label(const Layer&) const override { return "global avg pool"; }
};

}  // namespace

const Op& GlobalAvgPoolOp() {
  static const GlobalAvgPool op;
  return op;
}

}  // namespace nas::detail
