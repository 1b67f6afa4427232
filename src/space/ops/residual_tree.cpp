// SPDX-License-Identifier: Apache-2.0
// Residual block around a tree cell (proxyless.md §19): y = pad(shortcut(x)) + [BN] out_bottle(cell(in_bottle(x))), the
// shortcut padded with zero channels. Reads: in_channels, out_channels, use_bn (final BN), dropout (cell drop rate),
// children = shortcut, in_bottle, cell, out_bottle ("identity" for an absent one).
#include "nas/core/text.h"
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class ResidualTree final : public Op {
 public:
  std::string_view name() const override { return "residual_tree"; }

  void Check(const Layer& layer, MapShape in) const override {
    CheckChannels(layer, in);
    if (layer.children.size() != 4) FailLayer(layer, "needs shortcut, in_bottle, cell and out_bottle");
    if (!(layer.dropout >= 0 && layer.dropout < 1)) {
      FailLayer(layer, StrCat("cell drop rate ", layer.dropout, "; from 0 to below 1 are possible"));
    }
    const Layer& shortcut = layer.children[0];
    FindOp(shortcut.op).Check(shortcut, in);
    const MapShape kept = FindOp(shortcut.op).OutputShape(shortcut, in);
    MapShape out = in;
    for (std::size_t i = 1; i < 4; ++i) {
      const Op& op = FindOp(layer.children[i].op);
      op.Check(layer.children[i], out);
      out = op.OutputShape(layer.children[i], out);
    }
    if (out.channels != layer.out_channels) {
      FailLayer(layer, StrCat("gives ", out.channels, " channels, not ", layer.out_channels));
    }
    if (kept.side != out.side || kept.channels > out.channels) {
      FailLayer(layer, StrCat("its shortcut gives ", kept.channels, " channels of side ", kept.side, ", its cell ",
                              out.channels, " of side ", out.side));
    }
  }
  MapShape OutputShape(const Layer& layer, MapShape in) const override {
    for (std::size_t i = 1; i < 4; ++i) in = FindOp(layer.children[i].op).OutputShape(layer.children[i], in);
    return in;
  }
  std::int64_t Params(const Layer& layer) const override {
    std::int64_t sum = layer.use_bn ? 2 * static_cast<std::int64_t>(layer.out_channels) : 0;
    for (const Layer& child : layer.children) sum += FindOp(child.op).Params(child);
    return sum;
  }
  Macs CountMacs(const Layer& layer, MapShape in) const override {
    Macs sum = FindOp(layer.children[0].op).CountMacs(layer.children[0], in);
    for (std::size_t i = 1; i < 4; ++i) {
      const Op& op = FindOp(layer.children[i].op);
      sum = sum + op.CountMacs(layer.children[i], in);
      in = op.OutputShape(layer.children[i], in);
    }
    return sum;
  }
  int Launches(const Layer& layer) const override {
    int sum = layer.use_bn ? 2 : 1;
    for (const Layer& child : layer.children) sum += FindOp(child.op).Launches(child);
    return sum;
  }
  std::string LatencyKey(const Layer& layer, MapShape) const override { FailLatency(layer, "ResidualTreeBlock"); }
  std::string Label(const Layer& layer) const override {
    return StrCat("tree ", FindOp(layer.children[2].op).Label(layer.children[2]));
  }
};

}  // namespace

const Op& ResidualTreeOp() {
  static const ResidualTree op;
  return op;
}

}  // namespace nas::detail
