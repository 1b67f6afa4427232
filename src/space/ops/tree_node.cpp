// SPDX-License-Identifier: Apache-2.0
// Node of a tree cell (path-level transformation, Cai et al. 2018): the map is copied or split over the branches, each
// branch is an edge followed by a child node, the results are added or concatenated. With branch BN a branch gives
// e + BN(child(e)), e = edge(x). Reads: in_channels, out_channels, split, merge, use_bn (branch BN), dropout (path drop
// rate), children = edge and child node of each branch in turn ("identity" for an absent one).
#include "nas/core/text.h"
#include "nas/space/branch_part.h"
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class TreeNode final : public Op {
 public:
  std::string_view name() const override { return "tree_node"; }

  void Check(const Layer& layer, MapShape in) const override {
    CheckChannels(layer, in);
    if (layer.children.empty() || layer.children.size() % 2 != 0) {
      FailLayer(layer, StrCat(layer.children.size(), " children; an edge and a child node per branch are needed"));
    }
    const int branches = Branches(layer);
    if (branches > 1 && (layer.split.empty() || layer.merge.empty())) {
      FailLayer(layer, StrCat(branches, " branches need a way to split (copy, split) and to merge (add, concat)"));
    }
    if (!layer.split.empty() && layer.split != "copy" && layer.split != "split") {
      FailLayer(layer, StrCat("split \"", layer.split, "\"; copy and split are possible"));
    }
    if (!layer.merge.empty() && layer.merge != "add" && layer.merge != "concat") {
      FailLayer(layer, StrCat("merge \"", layer.merge, "\"; add and concat are possible"));
    }
    if ((layer.split == "split" && in.channels < branches) ||
        (layer.merge == "concat" && layer.out_channels < branches)) {
      FailLayer(layer, StrCat("fewer channels than its ", branches, " branches"));
    }
    if (!(layer.dropout >= 0 && layer.dropout < 1)) {
      FailLayer(layer, StrCat("path drop rate ", layer.dropout, "; from 0 to below 1 are possible"));
    }
    int side = 0;
    for (int i = 0; i < branches; ++i) {
      const Layer& edge = layer.children[2 * i];
      const Layer& child = layer.children[2 * i + 1];
      const MapShape branch_in = BranchIn(layer, in, i);
      FindOp(edge.op).Check(edge, branch_in);
      const MapShape mid = FindOp(edge.op).OutputShape(edge, branch_in);
      FindOp(child.op).Check(child, mid);
      const MapShape out = FindOp(child.op).OutputShape(child, mid);
      const int wanted = layer.merge == "concat" ? BranchPart(layer.out_channels, branches, i) : layer.out_channels;
      if (out.channels != wanted || (i > 0 && out.side != side)) {
        FailLayer(layer, StrCat("branch ", i, " gives ", out.channels, " channels of side ", out.side, "; ", wanted,
                                " channels", i > 0 ? StrCat(" of side ", side) : "", " are needed"));
      }
      if (layer.use_bn && mid != out)
        FailLayer(layer, StrCat("branch ", i, " has a BN, so its child must keep the shape"));
      side = out.side;
    }
  }
  MapShape OutputShape(const Layer& layer, MapShape in) const override {
    const MapShape branch_in = BranchIn(layer, in, 0);
    const MapShape mid = FindOp(layer.children[0].op).OutputShape(layer.children[0], branch_in);
    return {FindOp(layer.children[1].op).OutputShape(layer.children[1], mid).side, layer.out_channels};
  }
  std::int64_t Params(const Layer& layer) const override {
    std::int64_t sum = 0;
    for (const Layer& child : layer.children) sum += FindOp(child.op).Params(child);
    if (layer.use_bn) {
      sum += 2 * static_cast<std::int64_t>(layer.out_channels) * (layer.merge == "concat" ? 1 : Branches(layer));
    }
    return sum;
  }
  Macs CountMacs(const Layer& layer, MapShape in) const override {
    Macs sum;
    for (int i = 0; i < Branches(layer); ++i) {
      const Layer& edge = layer.children[2 * i];
      const Layer& child = layer.children[2 * i + 1];
      const MapShape branch_in = BranchIn(layer, in, i);
      const MapShape mid = FindOp(edge.op).OutputShape(edge, branch_in);
      sum = sum + FindOp(edge.op).CountMacs(edge, branch_in) + FindOp(child.op).CountMacs(child, mid);
    }
    return sum;
  }
  int Launches(const Layer& layer) const override {
    int sum = 0;
    for (const Layer& child : layer.children) sum += FindOp(child.op).Launches(child);
    return sum + Branches(layer) - 1 + (layer.use_bn ? Branches(layer) : 0);
  }
  std::string LatencyKey(const Layer& layer, MapShape) const override { FailLatency(layer, "TreeNode"); }
  std::string Label(const Layer& layer) const override {
    std::vector<std::string> branches;
    for (int i = 0; i < Branches(layer); ++i) {
      const Layer& edge = layer.children[2 * i];
      const Layer& child = layer.children[2 * i + 1];
      const std::string below = IsPlainIdentity(child) ? "" : StrCat(" > ", FindOp(child.op).Label(child));
      branches.push_back(StrCat(FindOp(edge.op).Label(edge), below));
    }
    return StrCat("[", Join(branches, " | "), "]");
  }

 private:
  static int Branches(const Layer& layer) { return static_cast<int>(layer.children.size() / 2); }
  static MapShape BranchIn(const Layer& layer, MapShape in, int i) {
    return layer.split == "split" ? MapShape{in.side, BranchPart(in.channels, Branches(layer), i)} : in;
  }
};

}  // namespace

const Op& TreeNodeOp() {
  static const TreeNode op;
  return op;
}

}  // namespace nas::detail
