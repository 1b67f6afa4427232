// SPDX-License-Identifier: Apache-2.0
// The published JSON form of a network (proxyless.md §13): dispatch, ProxylessNASNets and MobileNetV3.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "architecture_rules.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/space/architecture.h"
#include "net_config_layers.h"
#include "ops/op_rules.h"

namespace nas {
namespace {

using detail::NetConfigLayers;

void ReadConvAt(ObjectReader& root, const std::string& key, NetConfigLayers& net) {
  const ObjectReader reader = root.Object(key);
  Layer layer = detail::ReadNetConfigLayer(reader, {"ConvLayer"});
  layer.name = key;
  net.Add(std::move(layer), reader.Where());
}

void ReadBlocks(ObjectReader& root, NetConfigLayers& net) {
  const std::vector<ObjectReader> blocks = root.Objects("blocks");
  if (blocks.size() > detail::kMaxLayers) root.Fail("blocks", StrCat("more than ", detail::kMaxLayers, " blocks"));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    Layer layer = detail::ReadResidualBlock(blocks[i], net.channels());
    layer.name = StrCat("blocks.", i);
    net.Add(std::move(layer), blocks[i].Where());
  }
}

void ReadClassifier(ObjectReader& root, NetConfigLayers& net) {
  const ObjectReader reader = root.Object("classifier");
  Layer layer = detail::ReadNetConfigLayer(reader, {"LinearLayer"});
  layer.name = "classifier";
  net.Add(std::move(layer), reader.Where());
}

void ReadMobile(ObjectReader& root, Family family, NetConfigLayers& net) {
  ReadConvAt(root, "first_conv", net);
  ReadBlocks(root, net);
  if (family == Family::kMobileNetV3) {
    ReadConvAt(root, "final_expand_layer", net);
    net.AddImplicit(detail::GlobalPoolLayer(net.channels()));
    ReadConvAt(root, "feature_mix_layer", net);
  } else {
    if (root.Has("feature_mix_layer")) ReadConvAt(root, "feature_mix_layer", net);
    net.AddImplicit(detail::GlobalPoolLayer(net.channels()));
  }
  ReadClassifier(root, net);
}

/// Takes the layers of an architecture in order, each at the place where the class wants it.
class LayerTaker {
 public:
  explicit LayerTaker(const std::vector<Layer>& layers) : layers_(layers) {}
  bool AtEnd() const { return next_ == layers_.size(); }
  bool NextIs(std::string_view name, std::string_view op) const {
    return !AtEnd() && layers_[next_].name == name && layers_[next_].op == op;
  }
  bool NextIsBlock() const { return !AtEnd() && layers_[next_].name.starts_with("blocks."); }
  const Layer& Take() { return layers_[next_++]; }
  const Layer& Take(std::string_view name, std::string_view op) {
    if (NextIs(name, op)) return Take();
    if (AtEnd()) ThrowInput(StrCat("the network has no ", name.empty() ? op : name, "; net.config needs one here"));
    detail::FailNotInNetConfig(layers_[next_]);
  }

 private:
  const std::vector<Layer>& layers_;
  std::size_t next_ = 0;
};

Json WriteMobile(const Architecture& architecture) {
  const bool v3 = architecture.family == Family::kMobileNetV3;
  LayerTaker layers(architecture.layers);
  Json out;
  out["first_conv"] = detail::WriteConv(layers.Take("first_conv", "conv"));
  out["blocks"] = Json::array();
  while (layers.NextIsBlock()) {
    out["blocks"].push_back(
        detail::WriteResidualBlock(layers.Take(), "MobileInvertedResidualBlock", "mobile_inverted_conv", v3));
  }
  if (v3) {
    out["final_expand_layer"] = detail::WriteConv(layers.Take("final_expand_layer", "conv"));
    layers.Take("", "global_avg_pool");
    out["feature_mix_layer"] = detail::WriteConv(layers.Take("feature_mix_layer", "conv"));
  } else {
    out["feature_mix_layer"] = layers.NextIs("feature_mix_layer", "conv") ? detail::WriteConv(layers.Take()) : Json();
    layers.Take("", "global_avg_pool");
  }
  out["classifier"] = detail::WriteLinear(layers.Take("classifier", "linear"));
  if (!layers.AtEnd()) detail::FailNotInNetConfig(layers.Take());
  return out;
}

}  // namespace

Json ToNetConfig(const Architecture& architecture) {
  Json out = {{"name", detail::FamilyName(architecture.family)},
              {"bn", {{"momentum", architecture.bn.momentum}, {"eps", architecture.bn.eps}}}};
  switch (architecture.family) {
    case Family::kProxyless:
    case Family::kMobileNetV3:
      out.update(WriteMobile(architecture));
      break;
    case Family::kResNet:
      out.update(detail::WriteResNet(architecture));
      break;
    case Family::kPyramidTree:
      out.update(detail::WritePyramidTree(architecture));
      break;
  }
  // The published tree loader hands unknown keys to a constructor, which refuses them.
  if (architecture.family != Family::kPyramidTree || architecture.resolution != 32) {
    out["resolution"] = architecture.resolution;
  }
  return out;
}

Architecture ArchitectureFromNetConfig(const JsonDocument& document, int resolution) {
  ObjectReader root(document);
  const std::vector<std::string>& names = detail::FamilyNames();
  const std::string name = root.Choice("name", names);
  Architecture architecture;
  architecture.family = static_cast<Family>(std::find(names.begin(), names.end(), name) - names.begin());
  BatchNormSpec bn;
  if (architecture.family != Family::kProxyless) bn.eps = 1e-5;
  architecture.bn = detail::ReadBatchNorm(root, bn);
  NetConfigLayers net;
  switch (architecture.family) {
    case Family::kProxyless:
    case Family::kMobileNetV3:
      ReadMobile(root, architecture.family, net);
      break;
    case Family::kResNet:
      detail::ReadResNet(root, net);
      ReadClassifier(root, net);
      break;
    case Family::kPyramidTree:
      detail::ReadPyramidTree(root, net);
      ReadClassifier(root, net);
      break;
  }
  const bool small = architecture.family == Family::kPyramidTree || net.layers.front().stride == 1;
  const std::int64_t own = root.Int("resolution", 1, detail::kMaxSide, small ? 32 : 224);
  architecture.resolution = resolution > 0 ? resolution : static_cast<int>(own);
  root.Finish();
  architecture.layers = std::move(net.layers);
  detail::CheckLayersAt(architecture, net.places);
  return architecture;
}

}  // namespace nas
