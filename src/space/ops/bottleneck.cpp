// SPDX-License-Identifier: Apache-2.0
// ResNet bottleneck: 1×1 → k×k (stride, groups) → 1×1, BN after each, plus a shortcut: identity where the shape is
// kept, else 1×1 + BN ("conv", strided; "avgpool_conv", after an s×s average pooling). Reads: in_channels,
// out_channels, kernel, stride, groups, mid_channels, expand_ratio, act, pool (downsample mode).
#include "nas/core/text.h"
#include "ops/op_rules.h"
#include "ops/ops.h"

namespace nas::detail {
namespace {

class Bottleneck final : public Op {
 public:
  std::string_view name() const override { return "bottleneck"; }

  void Check(const Layer& layer, MapShape in) const override {
    CheckChannels(layer, in);
    CheckWindow(layer);
    if (layer.mid_channels < 1 || layer.mid_channels > kMaxChannels) {
      FailLayer(layer, StrCat(layer.mid_channels, " hidden channels; from 1 to ", kMaxChannels, " are possible"));
    }
    CheckGroups(layer, layer.groups, layer.mid_channels, "hidden");
    if (layer.pool != "conv" && layer.pool != "avgpool_conv") {
      FailLayer(layer, StrCat("downsample mode \"", layer.pool, "\"; conv and avgpool_conv are possible"));
    }
  }
  MapShape OutputShape(const Layer& layer, MapShape in) const override {
    return {StridedSide(in.side, layer.stride), layer.out_channels};
  }
  std::int64_t Params(const Layer& layer) const override {
    const std::int64_t mid = layer.mid_channels;
    const std::int64_t out = layer.out_channels;
    const std::int64_t downsample = Downsamples(layer) ? layer.in_channels * out + 2 * out : 0;
    return layer.in_channels * mid + 2 * mid + MiddleWeights(layer) + 2 * mid + mid * out + 2 * out + downsample;
  }
  Macs CountMacs(const Layer& layer, MapShape in) const override {
    const std::int64_t mid = layer.mid_channels;
    const std::int64_t out_area = Area(StridedSide(in.side, layer.stride));
    const std::int64_t downsample =
        Downsamples(layer) ? static_cast<std::int64_t>(layer.in_channels) * layer.out_channels * out_area : 0;
    return {layer.in_channels * mid * Area(in.side) + MiddleWeights(layer) * out_area +
            mid * layer.out_channels * out_area + downsample};
  }
  int Launches(const Layer& layer) const override {
    if (!Downsamples(layer)) return 3;
    return layer.pool == "avgpool_conv" && layer.stride > 1 ? 5 : 4;
  }
  std::string LatencyKey(const Layer& layer, MapShape) const override { FailLatency(layer, "ResNetBottleneckBlock"); }
  std::string Label(const Layer& layer) const override {
    return StrCat("bottleneck k", layer.kernel, " m", layer.mid_channels, StrideSuffix(layer));
  }

 private:
  static bool Downsamples(const Layer& layer) { return layer.stride != 1 || layer.in_channels != layer.out_channels; }
  static std::int64_t MiddleWeights(const Layer& layer) {
    const std::int64_t mid = layer.mid_channels;
    return mid * mid / layer.groups * layer.kernel * layer.kernel;
  }
};

}  // namespace

const Op& BottleneckOp() {
  static const Bottleneck op;
  return op;
}

}  // namespace nas::detail
