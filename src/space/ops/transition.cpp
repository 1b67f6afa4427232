// SPDX-License-Identifier: Apache-2.0
// A sequence of layers in one block (tree networks). Reads: in_channels, out_channels, children.
#include "nas/core/text.h"
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class Transition final : public Op {
 public:
  std::string_view name() const override { return "transition"; }

  void Check(const Layer& layer, MapShape in) const override {
    CheckChannels(layer, in);
    if (layer.children.empty()) FailLayer(layer, "has no layers");
    for (const Layer& child : layer.children) {
      const Op& op = FindOp(child.op);
      op.Check(child, in);
      in = op.OutputShape(child, in);
    }
    if (in.channels != layer.out_channels) {
      FailLayer(layer, StrCat("gives ", in.channels, " channels, not ", layer.out_channels));
    }
  }
  MapShape OutputShape(const Layer& layer, MapShape in) const override {
    for (const Layer& child : layer.children) in = FindOp(child.op).OutputShape(child, in);
    return in;
  }
  std::int64_t Params(const Layer& layer) const override {
    std::int64_t sum = 0;
    for (const Layer& child : layer.children) sum += FindOp(child.op).Params(child);
    return sum;
  }
  Macs CountMacs(const Layer& layer, MapShape in) const override {
    Macs sum;
    for (const Layer& child : layer.children) {
      const Op& op = FindOp(child.op);
      sum = sum + op.CountMacs(child, in);
      in = op.OutputShape(child, in);
    }
    return sum;
  }
  int Launches(const Layer& layer) const override {
    int sum = 0;
    for (const Layer& child : layer.children) sum += FindOp(child.op).Launches(child);
    return sum;
  }
  std::string LatencyKey(const Layer& layer, MapShape) const override { FailLatency(layer, "TransitionBlock"); }
  std::string Label(const Layer& layer) const override {
    std::vector<std::string> labels;
    for (const Layer& child : layer.children) labels.push_back(FindOp(child.op).Label(child));
    return StrCat("transition (", Join(labels, ", "), ")");
  }
};

}  // namespace

const Op& TransitionOp() {
  static const Transition op;
  return op;
}

}  // namespace nas::detail
