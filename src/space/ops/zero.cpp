// SPDX-License-Identifier: Apache-2.0
// The candidate that lets a block vanish: its output is 0, so that with the shortcut y = x (proxyless.md N1).
// Reads: in_channels, out_channels, skip.
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class Zero final : public Op {
 public:
  std::string_view name() const override { return "zero"; }

  void Check(const Layer& layer, MapShape in) const override {
    CheckKeepsChannels(layer, in);
    if (layer.stride != 1) FailLayer(layer, "only possible at stride 1, where the map keeps its shape");
    if (!layer.skip) FailLayer(layer, "needs the identity shortcut: without it the network's output would be constant");
  }
  MapShape OutputShape(const Layer&, MapShape in) const override { return in; }
  std::int64_t Params(const Layer&) const override { return 0; }
  Macs CountMacs(const Layer&, MapShape) const override { return {0}; }
  int Launches(const Layer&) const override { return 0; }
  std::string LatencyKey(const Layer&, MapShape) const override { return {}; }
  std::string Label(const Layer&) const override { return "Zero"; }
};

}  // namespace

const Op& ZeroOp() {
  static const Zero op;
  return op;
}

}  // namespace nas::detail
