// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/space/architecture.h"

// The layers of net.config (proxyless.md §13) and the families' readers and writers. Keys are the constructor arguments
// of the published classes, with their defaults; nothing here changes the parsed document.
namespace nas::detail {

/// A network that is being read: layers, and where each stands in the file.
struct NetConfigLayers {
  std::vector<Layer> layers;
  std::vector<std::string> places;
  void Add(Layer layer, const std::string& place);
  /// A layer that the class implies and the file does not mention.
  void AddImplicit(Layer layer);
  int channels() const { return layers.empty() ? 3 : layers.back().out_channels; }
};

/// Channel count, or a list of exactly one. Longer lists mark a supernet, which has no single network to read.
int ReadChannels(ObjectReader& reader, const std::string& key);
int ReadSize(ObjectReader& reader, const std::string& key, int low, int high, int fallback);

/// One layer; its "name" has to be one of `legal`. `MBInvertedConvLayer` = `MBConvLayer`.
Layer ReadNetConfigLayer(ObjectReader reader, const std::vector<std::string>& legal);
/// `MobileInvertedResidualBlock` or `ResidualBlock`, by either spelling of its conv. `channels` enter it.
Layer ReadResidualBlock(ObjectReader reader, int channels);

Json WriteConv(const Layer& layer);
Json WriteLinear(const Layer& layer);
Json WriteIdentity(const Layer& layer);
Json WriteDepthConv(const Layer& layer);
Json WritePooling(const Layer& layer);
/// `published_names`: MBInvertedConvLayer also where it carries act_func and use_se, as in the published MobileNetV3
/// files.
Json WriteMbconv(const Layer& layer, bool published_names);
/// Inner layer and shortcut under the given names.
Json WriteResidualBlock(const Layer& layer, const std::string& block, const std::string& conv_key,
                        bool published_names);
/// Whole numbers without a decimal point.
Json WriteNumber(double value);
/// Throws kInput: the layer has no form in net.config.
[[noreturn]] void FailNotInNetConfig(const Layer& layer);

Layer GlobalPoolLayer(int channels);

void ReadResNet(ObjectReader& root, NetConfigLayers& net);
void ReadPyramidTree(ObjectReader& root, NetConfigLayers& net);
Json WriteResNet(const Architecture& architecture);
Json WritePyramidTree(const Architecture& architecture);

}  // namespace nas::detail
