// SPDX-License-Identifier: Apache-2.0
#include "ops/op_rules.h"

#include <algorithm>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {

void FailLayer(const Layer& layer, std::string_view message) {
  ThrowInput(StrCat("layer \"", layer.name.empty() ? layer.op : layer.name, "\" (", layer.op, "): ", message));
}

void CheckChannels(const Layer& layer, MapShape in) {
  for (const int channels : {layer.in_channels, layer.out_channels}) {
    if (channels < 1 || channels > kMaxChannels) {
      FailLayer(layer, StrCat(channels, " channels; from 1 to ", kMaxChannels, " are possible"));
    }
  }
  if (layer.in_channels != in.channels) {
    FailLayer(layer, StrCat("takes ", layer.in_channels, " channels, but the map that enters has ", in.channels));
  }
  if (in.side < 1 || in.side > kMaxSide) {
    FailLayer(layer, StrCat("the map that enters has side ", in.side, "; from 1 to ", kMaxSide, " are possible"));
  }
}

void CheckKeepsChannels(const Layer& layer, MapShape in) {
  CheckChannels(layer, in);
  if (layer.in_channels != layer.out_channels) {
    FailLayer(layer, StrCat("cannot change ", layer.in_channels, " channels to ", layer.out_channels));
  }
}

void CheckStride(const Layer& layer) {
  if (layer.stride < 1 || layer.stride > kMaxStride) {
    FailLayer(layer, StrCat("stride ", layer.stride, "; from 1 to ", kMaxStride, " are possible"));
  }
}

void CheckWindow(const Layer& layer) {
  if (layer.kernel < 1 || layer.kernel > kMaxKernel || layer.kernel % 2 == 0) {
    FailLayer(layer, StrCat("kernel ", layer.kernel, "; odd sizes from 1 to ", kMaxKernel, " are possible"));
  }
  if (layer.dilation < 1 || layer.dilation > kMaxDilation) {
    FailLayer(layer, StrCat("dilation ", layer.dilation, "; from 1 to ", kMaxDilation, " are possible"));
  }
  CheckStride(layer);
}

void CheckGroups(const Layer& layer, int groups, int channels, std::string_view what) {
  if (groups < 1 || channels % groups != 0) {
    FailLayer(layer, StrCat(groups, " groups do not divide ", channels, " ", what, " channels"));
  }
}

void CheckOrder(const Layer& layer) {
  std::vector<std::string> words = Split(layer.ops_order, '_');
  std::sort(words.begin(), words.end());
  if (words != std::vector<std::string>{"act", "bn", "weight"}) {
    FailLayer(layer, StrCat("ops_order \"", layer.ops_order,
                            "\"; a permutation such as weight_bn_act or bn_act_weight"
                            " is needed"));
  }
  if (!(layer.dropout >= 0 && layer.dropout < 1)) {
    FailLayer(layer, StrCat("dropout rate ", layer.dropout, "; from 0 to below 1 are possible"));
  }
}

void CheckSkip(const Layer& layer) {
  if (layer.skip && (layer.stride != 1 || layer.in_channels != layer.out_channels)) {
    FailLayer(layer, StrCat("an identity shortcut needs stride 1 and equal channels, not stride ", layer.stride,
                            " and ", layer.in_channels, " to ", layer.out_channels, " channels"));
  }
}

int StridedSide(int side, int stride) { return (side - 1) / stride + 1; }

std::int64_t Area(int side) { return static_cast<std::int64_t>(side) * side; }

bool BnBeforeWeight(const Layer& layer) { return layer.ops_order.find("bn") < layer.ops_order.find("weight"); }

std::int64_t BnParams(const Layer& layer) {
  if (!layer.use_bn) return 0;
  return 2 * static_cast<std::int64_t>(BnBeforeWeight(layer) ? layer.in_channels : layer.out_channels);
}

bool IsPlainIdentity(const Layer& layer) {
  return layer.op == "zero" || (layer.op == "identity" && !layer.use_bn && layer.act == Activation::kNone);
}

int SeWidth(int channels) { return MakeDivisible(channels / 4, 8); }

std::int64_t SeParams(int channels) {
  const std::int64_t width = SeWidth(channels);
  return 2 * width * channels + width + channels;
}

std::int64_t SeMacs(int channels) { return 2 * static_cast<std::int64_t>(SeWidth(channels)) * channels; }

std::string FormatKey(std::string_view op, const KeyFields& f) {
  return StrCat(op, ":", f.h, ",", f.cin, ",", f.hout, ",", f.cout, ",", f.mid, ",", f.k, ",", f.s, ",", int{f.skip},
                ",", int{f.se}, ",", f.act);
}

void FailLatency(const Layer& layer, std::string_view what) {
  ThrowInput(StrCat("no latency model for ", what, " (layer \"", layer.name, "\")"));
}

std::string StrideSuffix(const Layer& layer) { return layer.stride > 1 ? StrCat(" s", layer.stride) : std::string(); }

}  // namespace nas::detail
