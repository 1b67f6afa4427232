// SPDX-License-Identifier: Apache-2.0
// Inverted residual (MobileNetV2, Sandler et al. 2018): [1×1 expand, BN, act] → [k×k depthwise, BN, act, SE] →
// [1×1 project, BN] [+ x]. Reads: in_channels, out_channels, kernel, stride, groups, mid_channels, expand_ratio, act,
// use_se, skip. expand_ratio 0 = none written: mid_channels alone says it.
#include <cmath>

#include "nas/core/text.h"
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class Mbconv final : public Op {
 public:
  std::string_view name() const override { return "mbconv"; }

  void Check(const Layer& layer, MapShape in) const override {
    CheckChannels(layer, in);
    CheckWindow(layer);
    if (layer.dilation != 1) FailLayer(layer, StrCat("dilation ", layer.dilation, "; only 1 is possible"));
    if (!(layer.expand_ratio >= 0 && layer.expand_ratio <= kMaxChannels)) {
      FailLayer(layer, StrCat("expand ratio ", layer.expand_ratio, "; a number above 0 is needed"));
    }
    if (layer.mid_channels != Mid(layer)) {
      FailLayer(layer, StrCat("expand ratio 1 means no expansion, so ", layer.mid_channels,
                              " hidden channels must be the ", layer.in_channels, " input channels"));
    }
    const int mid = Mid(layer);
    if (mid < 1 || mid > kMaxChannels) {
      FailLayer(layer, StrCat(mid, " hidden channels; from 1 to ", kMaxChannels, " are possible"));
    }
    CheckGroups(layer, Groups(layer), mid, "hidden");
    CheckSkip(layer);
  }

  MapShape OutputShape(const Layer& layer, MapShape in) const override {
    return {StridedSide(in.side, layer.stride), layer.out_channels};
  }

  std::int64_t Params(const Layer& layer) const override {
    const std::int64_t mid = Mid(layer);
    const std::int64_t expand = Expands(layer) ? layer.in_channels * mid + 2 * mid : 0;
    const std::int64_t project = mid * layer.out_channels + 2 * static_cast<std::int64_t>(layer.out_channels);
    return expand + DepthWeights(layer) + 2 * mid + (layer.use_se ? SeParams(Mid(layer)) : 0) + project;
  }

  Macs CountMacs(const Layer& layer, MapShape in) const override {
    const std::int64_t mid = Mid(layer);
    const std::int64_t out_area = Area(StridedSide(in.side, layer.stride));
    const std::int64_t expand = Expands(layer) ? layer.in_channels * mid * Area(in.side) : 0;
    return {expand + DepthWeights(layer) * out_area + (layer.use_se ? SeMacs(Mid(layer)) : 0) +
            mid * layer.out_channels * out_area};
  }

  int Launches(const Layer& layer) const override {
    return (Expands(layer) ? 3 : 2) + (layer.use_se ? kSeLaunches : 0);
  }

  std::string LatencyKey(const Layer& layer, MapShape in) const override {
    if (Groups(layer) != Mid(layer)) FailLatency(layer, StrCat(Label(layer), " with ", layer.groups, " groups"));
    std::string_view act = ToString(layer.act);
    if (layer.act == Activation::kHSwish) act = "hswish";
    if (act != "relu" && act != "relu6" && act != "hswish") {
      FailLatency(layer, StrCat(Label(layer), " with activation ", act));
    }
    return FormatKey("mbconv", {.h = in.side,
                                .cin = layer.in_channels,
                                .hout = StridedSide(in.side, layer.stride),
                                .cout = layer.out_channels,
                                .mid = Mid(layer),
                                .k = layer.kernel,
                                .s = layer.stride,
                                .skip = layer.skip,
                                .se = layer.use_se,
                                .act = act});
  }

  std::string Label(const Layer& layer) const override {
    double ratio = layer.expand_ratio;
    if (ratio == 0) ratio = std::round(100.0 * layer.mid_channels / layer.in_channels) / 100;
    return StrCat("k", layer.kernel, "e", ratio, layer.use_se ? " se" : "");
  }

 private:
  static bool Expands(const Layer& layer) { return layer.expand_ratio != 1; }
  static int Mid(const Layer& layer) { return Expands(layer) ? layer.mid_channels : layer.in_channels; }
  static int Groups(const Layer& layer) { return layer.groups == 0 ? Mid(layer) : layer.groups; }
  static std::int64_t DepthWeights(const Layer& layer) {
    const std::int64_t mid = Mid(layer);
    return mid * (mid / Groups(layer)) * layer.kernel * layer.kernel;
  }
};

}  // namespace

const Op& MbconvOp() {
  static const Mbconv op;
  return op;
}

}  // namespace nas::detail
