// SPDX-License-Identifier: Apache-2.0
// The project's own form of a network, `nas.architecture/1`: every field of every layer, defaults left out.
#include <nlohmann/json.hpp>

#include "architecture_rules.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/space/architecture.h"
#include "ops/op_rules.h"

namespace nas {
namespace {

const std::vector<std::string> kFamilies = {"ProxylessNASNets", "MobileNetV3", "ResNets", "PyramidTreeNet"};

}  // namespace

namespace detail {

std::string FamilyName(Family family) { return kFamilies[static_cast<std::size_t>(family)]; }

const std::vector<std::string>& FamilyNames() { return kFamilies; }

BatchNormSpec ReadBatchNorm(ObjectReader& reader, BatchNormSpec bn) {
  if (!reader.Has("bn")) {
    return bn;
  }
  ObjectReader part = reader.Object("bn");
  bn.momentum = part.Number("momentum", bn.momentum);
  bn.eps = part.Number("eps", bn.eps);
  if (!(bn.momentum >= 0 && bn.momentum <= 1)) part.Fail("momentum", "must lie between 0 and 1");
  if (!(bn.eps > 0 && bn.eps < 1)) part.Fail("eps", "must lie between 0 and 1");
  if (part.Has("ws_eps")) part.Fail("ws_eps", "weight standardisation is not supported; null is possible");
  part.Finish();
  return bn;
}

Activation ReadActivation(ObjectReader& reader, const std::string& key, Activation fallback) {
  if (reader.IsNull(key)) {
    return Activation::kNone;
  }
  if (!reader.Has(key)) return fallback;
  const std::string word = reader.String(key);
  try {
    return ParseActivation(word);
  } catch (const Error& error) {
    reader.Fail(key, error.what());
  }
}

Layer LayerFromJson(ObjectReader reader, int depth) {
  if (depth > kMaxDepth) reader.Fail("", StrCat("layers nested deeper than ", kMaxDepth));
  const Layer defaults;
  Layer layer;
  layer.name = reader.String("name", "");
  layer.op = reader.String("op");
  const auto number = [&reader](const char* key, int low, int high, int fallback) {
    return static_cast<int>(reader.Int(key, low, high, fallback));
  };
  layer.in_channels = number("in_channels", 0, kMaxChannels, 0);
  layer.out_channels = number("out_channels", 0, kMaxChannels, 0);
  layer.kernel = number("kernel", 1, kMaxSide, defaults.kernel);
  layer.stride = number("stride", 1, kMaxStride, defaults.stride);
  layer.dilation = number("dilation", 1, kMaxDilation, defaults.dilation);
  layer.groups = number("groups", 0, kMaxChannels, defaults.groups);
  layer.mid_channels = number("mid_channels", 0, kMaxChannels, 0);
  layer.expand_ratio = reader.Number("expand_ratio", 0);
  layer.act = ReadActivation(reader, "act", defaults.act);
  layer.use_bn = reader.Bool("use_bn", defaults.use_bn);
  layer.bias = reader.Bool("bias", defaults.bias);
  layer.use_se = reader.Bool("use_se", defaults.use_se);
  layer.shuffle = reader.Bool("shuffle", defaults.shuffle);
  layer.skip = reader.Bool("skip", defaults.skip);
  layer.dropout = reader.Number("dropout", 0);
  layer.ops_order = reader.String("ops_order", defaults.ops_order);
  layer.pool = reader.String("pool", "");
  layer.split = reader.String("split", "");
  layer.merge = reader.String("merge", "");
  if (reader.Has("children")) {
    for (const ObjectReader& child : reader.Objects("children"))
      layer.children.push_back(LayerFromJson(child, depth + 1));
  }
  reader.Finish();
  return layer;
}

Json LayerToJson(const Layer& layer) {
  const Layer defaults;
  Json out = {
      {"name", layer.name}, {"op", layer.op}, {"in_channels", layer.in_channels}, {"out_channels", layer.out_channels}};
  const auto put = [&out](const char* key, const auto& value, const auto& fallback) {
    if (value != fallback) out[key] = value;
  };
  put("kernel", layer.kernel, defaults.kernel);
  put("stride", layer.stride, defaults.stride);
  put("dilation", layer.dilation, defaults.dilation);
  put("groups", layer.groups, defaults.groups);
  put("mid_channels", layer.mid_channels, defaults.mid_channels);
  put("expand_ratio", layer.expand_ratio, defaults.expand_ratio);
  put("act", ToString(layer.act), ToString(defaults.act));
  put("use_bn", layer.use_bn, defaults.use_bn);
  put("bias", layer.bias, defaults.bias);
  put("use_se", layer.use_se, defaults.use_se);
  put("shuffle", layer.shuffle, defaults.shuffle);
  put("skip", layer.skip, defaults.skip);
  put("dropout", layer.dropout, defaults.dropout);
  put("ops_order", layer.ops_order, defaults.ops_order);
  put("pool", layer.pool, defaults.pool);
  put("split", layer.split, defaults.split);
  put("merge", layer.merge, defaults.merge);
  if (!layer.children.empty()) {
    out["children"] = Json::array();
    for (const Layer& child : layer.children) out["children"].push_back(LayerToJson(child));
  }
  return out;
}

void CheckLayersAt(const Architecture& architecture, const std::vector<std::string>& places) {
  MapShape shape = InputShape(architecture);
  for (std::size_t i = 0; i < architecture.layers.size(); ++i) {
    try {
      shape = CheckedStep(architecture.layers[i], shape);
    } catch (const Error& error) {
      ThrowInput(StrCat(places[i], ": ", error.what()));
    }
  }
}

}  // namespace detail

Json ToJson(const Architecture& architecture) {
  Json out = {{"schema", "nas.architecture/1"},
              {"name", architecture.name},
              {"family", detail::FamilyName(architecture.family)},
              {"resolution", architecture.resolution},
              {"bn", {{"momentum", architecture.bn.momentum}, {"eps", architecture.bn.eps}}},
              {"space", architecture.space},
              {"code", architecture.code},
              {"layers", Json::array()}};
  for (const Layer& layer : architecture.layers) out["layers"].push_back(detail::LayerToJson(layer));
  return out;
}

Architecture ArchitectureFromJson(const JsonDocument& document) {
  ObjectReader root(document);
  root.Choice("schema", {"nas.architecture/1"});
  Architecture architecture;
  architecture.name = root.String("name", "");
  const std::string family = root.Choice("family", kFamilies);
  for (std::size_t i = 0; i < kFamilies.size(); ++i) {
    if (family == kFamilies[i]) architecture.family = static_cast<Family>(i);
  }
  architecture.resolution = static_cast<int>(root.Int("resolution", 1, detail::kMaxSide));
  architecture.bn = detail::ReadBatchNorm(root, {});
  architecture.space = root.String("space", "");
  architecture.code = root.String("code", "");
  const std::vector<ObjectReader> layers = root.Objects("layers");
  if (layers.empty() || layers.size() > detail::kMaxLayers) {
    root.Fail("layers", StrCat(layers.size(), " layers; from 1 to ", detail::kMaxLayers, " are possible"));
  }
  std::vector<std::string> places;
  for (const ObjectReader& layer : layers) {
    architecture.layers.push_back(detail::LayerFromJson(layer, 0));
    places.push_back(layer.Where());
  }
  root.Finish();
  detail::CheckLayersAt(architecture, places);
  return architecture;
}

}  // namespace nas
