// SPDX-License-Identifier: Apache-2.0
#include "net_config_layers.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "architecture_rules.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "ops/op_rules.h"

namespace nas::detail {
namespace {

/// Keys that all layers with weights, BN and activation share.
void ReadBasic(ObjectReader& reader, Layer& layer, bool use_bn, Activation act) {
  layer.use_bn = reader.Bool("use_bn", use_bn);
  layer.act = ReadActivation(reader, "act_func", act);
  layer.dropout = reader.Number("dropout_rate", 0);
  layer.ops_order = reader.String("ops_order", layer.ops_order);
}

void WriteBasic(const Layer& layer, Json& out) {
  out["use_bn"] = layer.use_bn;
  out["act_func"] = layer.act == Activation::kNone ? Json() : Json(ToString(layer.act));
  out["dropout_rate"] = WriteNumber(layer.dropout);
  out["ops_order"] = layer.ops_order;
}

/// The published loaders lower the group count until it divides the channels.
int DividingGroups(int channels, int groups) {
  groups = std::min(groups, channels);
  while (channels % groups != 0) --groups;
  return groups;
}

void ReadWindow(ObjectReader& reader, Layer& layer) {
  layer.kernel = ReadSize(reader, "kernel_size", 1, kMaxKernel, 3);
  layer.stride = ReadSize(reader, "stride", 1, kMaxStride, 1);
}

void ReadConvKeys(ObjectReader& reader, Layer& layer) {
  layer.in_channels = ReadChannels(reader, "in_channels");
  layer.out_channels = ReadChannels(reader, "out_channels");
  ReadWindow(reader, layer);
  layer.dilation = ReadSize(reader, "dilation", 1, kMaxDilation, 1);
  layer.groups = DividingGroups(layer.in_channels, ReadSize(reader, "groups", 1, kMaxChannels, 1));
  layer.bias = reader.Bool("bias", false);
  layer.shuffle = reader.Bool("has_shuffle", false);
  ReadBasic(reader, layer, /*use_bn=*/true, Activation::kRelu);
}

Layer ReadMbconv(ObjectReader& reader) {
  Layer layer;
  layer.op = "mbconv";
  layer.in_channels = ReadChannels(reader, "in_channels");
  layer.out_channels = ReadChannels(reader, "out_channels");
  ReadWindow(reader, layer);
  const bool no_ratio = reader.IsNull("expand_ratio");
  if (!no_ratio) {
    layer.expand_ratio = reader.Number("expand_ratio", 6);
    if (!(layer.expand_ratio > 0 && layer.expand_ratio <= kMaxChannels)) {
      reader.Fail("expand_ratio", StrCat(layer.expand_ratio, " is no expansion ratio; a number above 0 is needed"));
    }
  }
  if (reader.Has("mid_channels")) {
    layer.mid_channels = ReadSize(reader, "mid_channels", 1, kMaxChannels, 0);
  } else if (no_ratio) {
    reader.Fail("expand_ratio", "is null, and so is mid_channels; one of them is needed");
  } else {
    layer.mid_channels = static_cast<int>(std::nearbyint(layer.in_channels * layer.expand_ratio));
  }
  layer.act = ReadActivation(reader, "act_func", Activation::kRelu6);
  layer.use_se = reader.Bool("use_se", false);
  layer.groups = 0;
  if (reader.Has("groups")) {
    const int groups = ReadSize(reader, "groups", 1, kMaxChannels, 1);
    layer.groups = DividingGroups(std::max(1, layer.mid_channels), groups);
    if (layer.groups == layer.mid_channels) layer.groups = 0;
  }
  return layer;
}

Layer ReadBottleneck(ObjectReader& reader) {
  Layer layer;
  layer.op = "bottleneck";
  layer.in_channels = ReadChannels(reader, "in_channels");
  layer.out_channels = ReadChannels(reader, "out_channels");
  ReadWindow(reader, layer);
  layer.expand_ratio = reader.Number("expand_ratio", 0.25);
  if (!(layer.expand_ratio > 0 && layer.expand_ratio <= 64)) {
    reader.Fail("expand_ratio",
                StrCat(layer.expand_ratio, " is no expansion ratio; above 0 and at most 64 is possible"));
  }
  const double mid = reader.Has("mid_channels") ? ReadSize(reader, "mid_channels", 1, kMaxChannels, 0)
                                                : std::nearbyint(layer.out_channels * layer.expand_ratio);
  layer.mid_channels = MakeDivisible(mid);
  layer.act = ReadActivation(reader, "act_func", Activation::kRelu);
  layer.groups = ReadSize(reader, "groups", 1, kMaxChannels, 1);
  layer.pool =
      reader.Has("downsample_mode") ? reader.Choice("downsample_mode", {"avgpool_conv", "conv"}) : "avgpool_conv";
  return layer;
}

}  // namespace

void NetConfigLayers::Add(Layer layer, const std::string& place) {
  layers.push_back(std::move(layer));
  places.push_back(place);
}

void NetConfigLayers::AddImplicit(Layer layer) { Add(std::move(layer), places.empty() ? "" : places.back()); }

int ReadSize(ObjectReader& reader, const std::string& key, int low, int high, int fallback) {
  if (!reader.Has(key)) {
    return fallback;
  }
  const Json& raw = reader.Raw(key);
  if (!raw.is_array()) return static_cast<int>(reader.Int(key, low, high));
  const std::vector<std::int64_t> values = reader.Ints(key);
  const bool pair = values.size() == 2 && values[0] == values[1];
  if (values.size() != 1 && !pair) {
    reader.Fail(key, StrCat("a list of ", values.size(),
                            " values describes a supernet, of which no single network can be"
                            " read; one number is needed"));
  }
  if (values[0] < low || values[0] > high) {
    reader.Fail(key, StrCat(values[0], " is not between ", low, " and ", high));
  }
  return static_cast<int>(values[0]);
}

int ReadChannels(ObjectReader& reader, const std::string& key) {
  if (!reader.Has(key)) reader.Int(key, 1, kMaxChannels);  // says that it is missing
  return ReadSize(reader, key, 1, kMaxChannels, 0);
}

Layer ReadNetConfigLayer(ObjectReader reader, const std::vector<std::string>& legal) {
  const std::string name = reader.Choice("name", legal);
  Layer layer;
  if (name == "ConvLayer") {
    layer.op = "conv";
    ReadConvKeys(reader, layer);
    layer.use_se = reader.Bool("use_se", false);
  } else if (name == "DepthConvLayer") {
    layer.op = "depth_conv";
    ReadConvKeys(reader, layer);
  } else if (name == "PoolingLayer") {
    layer.op = "pool";
    layer.in_channels = ReadChannels(reader, "in_channels");
    layer.out_channels = ReadChannels(reader, "out_channels");
    layer.pool = reader.Choice("pool_type", {"avg", "max"});
    layer.kernel = ReadSize(reader, "kernel_size", 1, kMaxSide, 2);
    layer.stride = ReadSize(reader, "stride", 1, kMaxStride, 2);
    ReadBasic(reader, layer, /*use_bn=*/false, Activation::kNone);
  } else if (name == "IdentityLayer") {
    layer.op = "identity";
    layer.in_channels = ReadChannels(reader, "in_channels");
    layer.out_channels = ReadChannels(reader, "out_channels");
    ReadBasic(reader, layer, /*use_bn=*/false, Activation::kNone);
  } else if (name == "LinearLayer") {
    layer.op = "linear";
    layer.in_channels = ReadChannels(reader, "in_features");
    layer.out_channels = ReadChannels(reader, "out_features");
    layer.bias = reader.Bool("bias", true);
    ReadBasic(reader, layer, /*use_bn=*/false, Activation::kNone);
  } else if (name == "MBConvLayer" || name == "MBInvertedConvLayer") {
    layer = ReadMbconv(reader);
  } else if (name == "ResNetBottleneckBlock") {
    layer = ReadBottleneck(reader);
  } else if (name == "ZeroLayer") {
    layer.op = "zero";
    layer.skip = true;
    if (ReadSize(reader, "stride", 1, kMaxStride, 1) != 1) {
      reader.Fail("stride", "a ZeroLayer passes its input on, so its stride must be 1");
    }
  } else {
    reader.Fail("name", StrCat("\"", name, "\" cannot stand here"));
  }
  reader.Finish();
  return layer;
}

Layer ReadResidualBlock(ObjectReader reader, int channels) {
  reader.Choice("name", {"MobileInvertedResidualBlock", "ResidualBlock"});
  const std::vector<std::string> keys = reader.Keys();
  const auto present = [&keys](const char* key) { return std::find(keys.begin(), keys.end(), key) != keys.end(); };
  const bool old_key = present("mobile_inverted_conv");
  if (old_key == present("conv")) {
    reader.Fail("", "a block needs one of the keys mobile_inverted_conv and conv");
  }
  const std::string conv_key = old_key ? "mobile_inverted_conv" : "conv";
  Layer layer;
  if (reader.Has(conv_key)) {
    layer =
        ReadNetConfigLayer(reader.Object(conv_key), {"MBInvertedConvLayer", "MBConvLayer", "ConvLayer", "ZeroLayer"});
  } else {
    layer.op = "zero";
    layer.skip = true;
  }
  bool shortcut = false;
  if (reader.Has("shortcut")) {
    const Layer side = ReadNetConfigLayer(reader.Object("shortcut"), {"IdentityLayer", "ZeroLayer"});
    if (!IsPlainIdentity(side)) reader.Fail("shortcut", "an identity shortcut cannot have a BN or an activation");
    shortcut = side.op == "identity";
    if (shortcut && (side.in_channels != channels || side.out_channels != channels)) {
      reader.Fail("shortcut", StrCat("passes on ", side.in_channels, " to ", side.out_channels, " channels, but ",
                                     channels, " enter the block"));
    }
  }
  reader.Finish();
  if (layer.op == "zero") {
    layer.in_channels = layer.out_channels = channels;
  } else {
    layer.skip = shortcut;
  }
  return layer;
}

Json WriteNumber(double value) {
  const double whole = std::nearbyint(value);
  if (whole == value && std::abs(value) < 1e9) return Json(static_cast<std::int64_t>(whole));
  return Json(value);
}

Json WriteConv(const Layer& layer) {
  Json out = {{"name", "ConvLayer"},         {"kernel_size", layer.kernel}, {"stride", layer.stride},
              {"dilation", layer.dilation},  {"groups", layer.groups},      {"bias", layer.bias},
              {"has_shuffle", layer.shuffle}};
  if (layer.use_se) out["use_se"] = true;
  out["in_channels"] = layer.in_channels;
  out["out_channels"] = layer.out_channels;
  WriteBasic(layer, out);
  return out;
}

Json WriteDepthConv(const Layer& layer) {
  Json out = WriteConv(layer);
  out["name"] = "DepthConvLayer";
  return out;
}

Json WritePooling(const Layer& layer) {
  Json out = {{"name", "PoolingLayer"}, {"pool_type", layer.pool},          {"kernel_size", layer.kernel},
              {"stride", layer.stride}, {"in_channels", layer.in_channels}, {"out_channels", layer.out_channels}};
  WriteBasic(layer, out);
  return out;
}

Json WriteLinear(const Layer& layer) {
  Json out = {{"name", "LinearLayer"},
              {"in_features", layer.in_channels},
              {"out_features", layer.out_channels},
              {"bias", layer.bias}};
  WriteBasic(layer, out);
  return out;
}

Json WriteIdentity(const Layer& layer) {
  Json out = {{"name", "IdentityLayer"}, {"in_channels", layer.in_channels}, {"out_channels", layer.out_channels}};
  WriteBasic(layer, out);
  return out;
}

Json WriteMbconv(const Layer& layer, bool published_names) {
  // The original class knows neither an activation nor squeeze-and-excitation: it is written without those keys.
  const bool original = layer.act == Activation::kRelu6 && !layer.use_se && layer.groups == 0 && !published_names;
  const bool old_name = original || (published_names && layer.groups == 0);
  Json out = {{"name", old_name ? "MBInvertedConvLayer" : "MBConvLayer"},
              {"in_channels", layer.in_channels},
              {"out_channels", layer.out_channels},
              {"kernel_size", layer.kernel},
              {"stride", layer.stride},
              {"expand_ratio", layer.expand_ratio == 0 ? Json() : WriteNumber(layer.expand_ratio)}};
  const bool follows = layer.mid_channels == std::nearbyint(layer.in_channels * layer.expand_ratio);
  out["mid_channels"] = follows ? Json() : Json(layer.mid_channels);
  if (original) return out;
  out["act_func"] = layer.act == Activation::kNone ? Json() : Json(ToString(layer.act));
  out["use_se"] = layer.use_se;
  if (layer.groups != 0) out["groups"] = layer.groups;
  return out;
}

Json WriteResidualBlock(const Layer& layer, const std::string& block, const std::string& conv_key,
                        bool published_names) {
  Json out = {{"name", block}};
  if (layer.op == "mbconv") {
    out[conv_key] = WriteMbconv(layer, published_names);
  } else if (layer.op == "conv") {
    out[conv_key] = WriteConv(layer);
  } else if (layer.op == "zero") {
    out[conv_key] = {{"name", "ZeroLayer"}, {"stride", 1}};
  } else {
    FailNotInNetConfig(layer);
  }
  Layer identity;
  identity.in_channels = identity.out_channels = layer.in_channels;
  identity.use_bn = false;
  out["shortcut"] = layer.skip ? WriteIdentity(identity) : Json();
  return out;
}

void FailNotInNetConfig(const Layer& layer) {
  ThrowInput(StrCat("layer \"", layer.name, "\" (", layer.op, ") has no form in net.config at this place; write json"));
}

Layer GlobalPoolLayer(int channels) {
  Layer layer;
  layer.op = "global_avg_pool";
  layer.in_channels = layer.out_channels = channels;
  return layer;
}

}  // namespace nas::detail
