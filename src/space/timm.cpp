// SPDX-License-Identifier: Apache-2.0
// Networks as timm describes them: {arch_def, stem, head, act, bn_eps, resolution}. `stem` and `head` are channel
// counts (timm's stem_size and num_features), `act` is the activation of stem, head and blocks that name none. Further
// keys are written where they differ from what timm builds by itself.
#include <nlohmann/json.hpp>

#include "architecture_rules.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/space/architecture.h"
#include "net_config_layers.h"
#include "ops/op_rules.h"
#include "timm_block.h"

namespace nas {
namespace {

constexpr int kMaxBlockStride = 16;  ///< product over the blocks; beyond it timm turns strides into dilation

struct Parts {
  const Layer* stem = nullptr;
  std::vector<const Layer*> blocks;  ///< Zero blocks left out; with the final expansion of MobileNetV3
  const Layer* head = nullptr;
  const Layer* classifier = nullptr;
};

void CheckPlainConv(const Layer& layer, bool use_bn) {
  if (layer.groups != 1 || layer.dilation != 1 || layer.use_se || layer.shuffle || layer.skip || layer.dropout != 0 ||
      layer.use_bn != use_bn || layer.ops_order != "weight_bn_act") {
    detail::FailTimm(layer, StrCat("only a plain conv ", use_bn ? "with" : "without", " BN is"));
  }
}

Parts TakeApart(const Architecture& architecture) {
  const bool v3 = architecture.family == Family::kMobileNetV3;
  if (!v3 && architecture.family != Family::kProxyless) {
    ThrowInput(StrCat("a network of class ", detail::FamilyName(architecture.family),
                      " is not expressible in timm's block strings"));
  }
  Parts parts;
  for (const Layer& layer : architecture.layers) {
    if (layer.name == "first_conv" && layer.op == "conv") {
      parts.stem = &layer;
    } else if (layer.name == "feature_mix_layer" && layer.op == "conv") {
      parts.head = &layer;
    } else if (layer.op == "linear") {
      parts.classifier = &layer;
    } else if (!detail::IsPlainIdentity(layer) && layer.op != "global_avg_pool") {
      parts.blocks.push_back(&layer);
    }
  }
  if (parts.stem == nullptr || parts.classifier == nullptr || parts.blocks.empty() || (v3 && parts.head == nullptr)) {
    ThrowInput("a network without stem, blocks, head or classifier is not expressible in timm's block strings");
  }
  CheckPlainConv(*parts.stem, true);
  if (parts.stem->bias) detail::FailTimm(*parts.stem, "a stem with a bias is not");
  if (parts.head != nullptr) {
    CheckPlainConv(*parts.head, !v3);
    if (parts.head->kernel != 1 || parts.head->stride != 1) detail::FailTimm(*parts.head, "only a 1x1 conv is");
    if (parts.head->bias && !v3) detail::FailTimm(*parts.head, "a head conv with a bias is not");
  }
  const Layer& classifier = *parts.classifier;
  if (!classifier.bias || classifier.use_bn || classifier.act != Activation::kNone) {
    detail::FailTimm(classifier, "only a plain linear classifier with a bias is");
  }
  return parts;
}

/// One list per stack: a stride or a change of width begins a new one, as timm takes strides only there.
Json ArchDef(const std::vector<const Layer*>& blocks, Activation act) {
  Json stacks = Json::array();
  std::string last;
  int repeats = 0;
  int stride = 1;
  for (const Layer* layer : blocks) {
    const std::string block = detail::FormatTimmBlock(*layer, act);
    stride *= layer->stride;
    if (stride > kMaxBlockStride) {
      detail::FailTimm(*layer, StrCat("the blocks' strides multiply to more than ", kMaxBlockStride));
    }
    const bool new_stack = stacks.empty() || layer->stride > 1 || layer->in_channels != layer->out_channels;
    if (new_stack) stacks.push_back(Json::array());
    if (!new_stack && block == last) {
      stacks.back().back() = detail::WithRepeats(block, ++repeats);
    } else {
      stacks.back().push_back(block);
      last = block;
      repeats = 1;
    }
  }
  return stacks;
}

Activation ReadTimmAct(ObjectReader& reader, const std::string& key, Activation fallback) {
  if (!reader.Has(key)) return fallback;
  const std::string word = reader.String(key);
  try {
    return detail::ParseTimmActivation(word);
  } catch (const Error& error) {
    reader.Fail(key, error.what());
  }
}

void ReadArchDef(ObjectReader& root, Activation act, detail::NetConfigLayers& net) {
  const Json& stacks = root.Raw("arch_def");
  if (!stacks.is_array() || stacks.empty()) root.Fail("arch_def", "must be a list of lists of block strings");
  std::size_t count = 0;
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    const std::string stack_pointer = StrCat("/arch_def/", i);
    if (!stacks[i].is_array() || stacks[i].empty()) {
      ThrowInput(StrCat(root.document().Where(stack_pointer), ": must be a list of block strings"));
    }
    bool first = true;
    for (std::size_t j = 0; j < stacks[i].size(); ++j) {
      const std::string place = root.document().Where(StrCat(stack_pointer, "/", j));
      if (!stacks[i][j].is_string()) ThrowInput(StrCat(place, ": must be a block string such as ir_r1_k3_s1_e3_c24"));
      const detail::TimmBlock block = detail::ParseTimmBlock(stacks[i][j].get<std::string>(), act, place);
      for (int r = 0; r < block.repeats; ++r) {
        if (count == detail::kMaxLayers) ThrowInput(StrCat(place, ": more than ", detail::kMaxLayers, " blocks"));
        Layer layer;
        try {
          layer = detail::TimmLayer(block, net.channels(), first);
        } catch (const Error& error) {
          ThrowInput(StrCat(place, ": ", error.what()));
        }
        layer.name = StrCat("blocks.", count++);
        net.Add(std::move(layer), place);
        first = false;
      }
    }
  }
}

Layer ConvLayer(const std::string& name, int in, int out, Activation act) {
  Layer layer;
  layer.name = name;
  layer.op = "conv";
  layer.in_channels = in;
  layer.out_channels = out;
  layer.act = act;
  return layer;
}

}  // namespace

Json ToTimm(const Architecture& architecture) {
  InferShapes(architecture);
  const bool v3 = architecture.family == Family::kMobileNetV3;
  const Parts parts = TakeApart(architecture);
  const Layer& stem = *parts.stem;
  const Activation act = stem.act;
  Json out;
  if (!architecture.name.empty()) out["name"] = architecture.name;
  if (v3) out["family"] = detail::FamilyName(architecture.family);
  out["arch_def"] = ArchDef(parts.blocks, act);
  out["stem"] = stem.out_channels;
  if (stem.kernel != 3) out["stem_kernel"] = stem.kernel;
  if (stem.stride != 2) out["stem_stride"] = stem.stride;
  out["head"] = parts.head == nullptr ? 0 : parts.head->out_channels;
  if (parts.head != nullptr && parts.head->act != act) out["head_act"] = detail::TimmActivation(parts.head->act);
  if (v3) out["head_bias"] = parts.head->bias;
  out["act"] = detail::TimmActivation(act);
  for (const Layer* block : parts.blocks) {
    if (block->use_se) out["se_from_exp"] = true;
  }
  out["bn_eps"] = architecture.bn.eps;
  if (architecture.bn.momentum != 0.1) out["bn_momentum"] = architecture.bn.momentum;
  out["resolution"] = architecture.resolution;
  out["classes"] = architecture.classes();
  if (parts.classifier->dropout != 0) out["dropout"] = parts.classifier->dropout;
  return out;
}

Architecture ArchitectureFromTimm(const JsonDocument& document) {
  ObjectReader root(document);
  Architecture architecture;
  architecture.name = root.String("name", "");
  if (root.Has("family") && root.Choice("family", {"ProxylessNASNets", "MobileNetV3"}) == "MobileNetV3") {
    architecture.family = Family::kMobileNetV3;
  }
  const bool v3 = architecture.family == Family::kMobileNetV3;
  const Activation act = ReadTimmAct(root, "act", Activation::kRelu);
  detail::NetConfigLayers net;
  const auto stem_width = static_cast<int>(root.Int("stem", 1, detail::kMaxChannels));
  Layer stem = ConvLayer("first_conv", 3, stem_width, act);
  stem.kernel = static_cast<int>(root.Int("stem_kernel", 1, detail::kMaxKernel, 3));
  stem.stride = static_cast<int>(root.Int("stem_stride", 1, 2, 2));
  net.Add(std::move(stem), root.Where("stem"));
  ReadArchDef(root, act, net);
  if (v3) {
    if (net.layers.back().op != "conv") root.Fail("arch_def", "the last block of MobileNetV3 must be a conv (cn)");
    net.layers.back().name = "final_expand_layer";
  }
  const auto head_width = static_cast<int>(root.Int("head", v3 ? 1 : 0, detail::kMaxChannels));
  const Activation head_act = ReadTimmAct(root, "head_act", act);
  const bool head_bias = root.Bool("head_bias", false);
  if (head_bias && !v3) root.Fail("head_bias", "only MobileNetV3 has a head conv without BN");
  if (v3) net.AddImplicit(detail::GlobalPoolLayer(net.channels()));
  if (head_width > 0) {
    Layer head = ConvLayer("feature_mix_layer", net.channels(), head_width, head_act);
    head.use_bn = !v3;
    head.bias = head_bias;
    net.Add(std::move(head), root.Where("head"));
  }
  if (!v3) net.AddImplicit(detail::GlobalPoolLayer(net.channels()));
  Layer classifier;
  classifier.name = "classifier";
  classifier.op = "linear";
  classifier.in_channels = net.channels();
  classifier.out_channels = static_cast<int>(root.Int("classes", 1, detail::kMaxChannels, 1000));
  classifier.use_bn = false;
  classifier.bias = true;
  classifier.dropout = root.Number("dropout", 0);
  net.Add(std::move(classifier), root.Where());
  architecture.bn.eps = root.Number("bn_eps", 1e-5);
  architecture.bn.momentum = root.Number("bn_momentum", 0.1);
  if (!(architecture.bn.eps > 0 && architecture.bn.eps < 1)) root.Fail("bn_eps", "must lie between 0 and 1");
  if (!(architecture.bn.momentum >= 0 && architecture.bn.momentum <= 1)) {
    root.Fail("bn_momentum", "must lie between 0 and 1");
  }
  architecture.resolution = static_cast<int>(root.Int("resolution", 1, detail::kMaxSide, 224));
  if (root.Has("se_from_exp") && !root.Bool("se_from_exp")) {
    root.Fail("se_from_exp", "squeeze widths are taken from the expanded channels here; true is possible");
  }
  root.Finish();
  architecture.layers = std::move(net.layers);
  detail::CheckLayersAt(architecture, net.places);
  return architecture;
}

}  // namespace nas
