// SPDX-License-Identifier: Apache-2.0
// ResNets of the published JSON form: input_stem[], an implicit 3×3 max pooling of stride 2, bottleneck blocks.
#include <nlohmann/json.hpp>

#include "architecture_rules.h"
#include "nas/core/text.h"
#include "net_config_layers.h"

namespace nas::detail {

void ReadResNet(ObjectReader& root, NetConfigLayers& net) {
  std::vector<ObjectReader> stem = root.Objects("input_stem");
  if (stem.empty() || stem.size() > kMaxLayers)
    root.Fail("input_stem", StrCat(stem.size(), " layers; at least one is needed"));
  for (std::size_t i = 0; i < stem.size(); ++i) {
    const std::string name = ObjectReader(stem[i]).String("name");
    const bool residual = name == "ResidualBlock" || name == "MobileInvertedResidualBlock";
    Layer layer = residual ? ReadResidualBlock(stem[i], net.channels())
                           : ReadNetConfigLayer(stem[i], {"ConvLayer", "ResidualBlock"});
    layer.name = StrCat("input_stem.", i);
    net.Add(std::move(layer), stem[i].Where());
  }
  Layer pool;
  pool.op = "max_pool";
  pool.kernel = 3;
  pool.stride = 2;
  pool.in_channels = pool.out_channels = net.channels();
  net.AddImplicit(std::move(pool));
  const std::vector<ObjectReader> blocks = root.Objects("blocks");
  if (blocks.size() > kMaxLayers) root.Fail("blocks", StrCat("more than ", kMaxLayers, " blocks"));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    Layer layer = ReadNetConfigLayer(blocks[i], {"ResNetBottleneckBlock"});
    layer.name = StrCat("blocks.", i);
    net.Add(std::move(layer), blocks[i].Where());
  }
  net.AddImplicit(GlobalPoolLayer(net.channels()));
}

Json WriteResNet(const Architecture& architecture) {
  Json stem = Json::array();
  Json blocks = Json::array();
  Json classifier;
  for (const Layer& layer : architecture.layers) {
    if (layer.name.starts_with("input_stem.")) {
      const bool residual = layer.skip || layer.op != "conv";
      stem.push_back(residual ? WriteResidualBlock(layer, "ResidualBlock", "conv", false) : WriteConv(layer));
    } else if (layer.op == "bottleneck") {
      blocks.push_back({{"name", "ResNetBottleneckBlock"},
                        {"in_channels", layer.in_channels},
                        {"out_channels", layer.out_channels},
                        {"kernel_size", layer.kernel},
                        {"stride", layer.stride},
                        {"expand_ratio", WriteNumber(layer.expand_ratio)},
                        {"mid_channels", layer.mid_channels},
                        {"act_func", ToString(layer.act)},
                        {"groups", layer.groups},
                        {"downsample_mode", layer.pool}});
    } else if (layer.op == "linear") {
      classifier = WriteLinear(layer);
    } else if (layer.op != "max_pool" && layer.op != "global_avg_pool") {
      FailNotInNetConfig(layer);
    }
  }
  return {{"input_stem", std::move(stem)}, {"blocks", std::move(blocks)}, {"classifier", std::move(classifier)}};
}

}  // namespace nas::detail
