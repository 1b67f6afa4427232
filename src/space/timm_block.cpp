// SPDX-License-Identifier: Apache-2.0
#include "timm_block.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/space/op_catalogue.h"
#include "ops/op_rules.h"

namespace nas::detail {
namespace {

constexpr std::array<std::pair<Activation, std::string_view>, 3> kTokens{
    {{Activation::kRelu, "nre"}, {Activation::kRelu6, "nr6"}, {Activation::kHSwish, "nhs"}}};

constexpr std::array<std::pair<Activation, std::string_view>, 7> kNames{{{Activation::kNone, "identity"},
                                                                         {Activation::kRelu, "relu"},
                                                                         {Activation::kRelu6, "relu6"},
                                                                         {Activation::kTanh, "tanh"},
                                                                         {Activation::kSigmoid, "sigmoid"},
                                                                         {Activation::kHSwish, "hard_swish"},
                                                                         {Activation::kHSigmoid, "hard_sigmoid"}}};

/// Shortest text that reads back as the same number.
std::string Shortest(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

/// The numeric tokens of a block string, by key.
class Tokens {
 public:
  Tokens(std::string text, std::string place) : text_(std::move(text)), place_(std::move(place)) {}

  void Add(const std::string& token, const std::vector<std::string>& legal) {
    const std::size_t digit = token.find_first_of("0123456789");
    const std::string key = token.substr(0, digit);
    if (digit == std::string::npos || std::find(legal.begin(), legal.end(), key) == legal.end()) {
      Fail(StrCat("token \"", token, "\" is not known; known: ", Join(legal, ", "),
                  " with a number, nre, nr6, nhs, skip, noskip"));
    }
    double value = 0;
    if (!ParseDouble(token.substr(digit), &value)) Fail(StrCat("token \"", token, "\" has no number"));
    if (!values_.emplace(key, value).second) Fail(StrCat("token \"", key, "\" stands twice"));
  }

  bool Has(const std::string& key) const { return values_.contains(key); }

  double Number(const std::string& key, double low, double high) const {
    const auto found = values_.find(key);
    if (found == values_.end()) Fail(StrCat("token \"", key, "\" is missing"));
    if (!(found->second >= low && found->second <= high)) {
      Fail(StrCat("token \"", key, "\" is ", found->second, "; from ", low, " to ", high, " are possible"));
    }
    return found->second;
  }

  int Int(const std::string& key, int low, int high) const {
    const double value = Number(key, low, high);
    if (value != std::floor(value)) Fail(StrCat("token \"", key, "\" is ", value, "; a whole number is needed"));
    return static_cast<int>(value);
  }

  [[noreturn]] void Fail(const std::string& message) const {
    ThrowInput(StrCat(place_, ": block \"", text_, "\": ", message));
  }

 private:
  std::string text_;
  std::string place_;
  std::map<std::string, double> values_;
};

}  // namespace

void FailTimm(const Layer& layer, std::string_view reason) {
  ThrowInput(StrCat("layer \"", layer.name, "\" (", FindOp(layer.op).Label(layer),
                    ") is not expressible in timm's block strings: ", reason));
}

std::string TimmActivation(Activation activation) {
  for (const auto& [value, name] : kNames) {
    if (value == activation) return std::string(name);
  }
  ThrowInternal("an activation has no name in timm");
}

Activation ParseTimmActivation(std::string_view word) {
  for (const auto& [value, name] : kNames) {
    if (word == name) return value;
  }
  std::vector<std::string> names;
  for (const auto& entry : kNames) names.emplace_back(entry.second);
  ThrowInput(StrCat("activation \"", word, "\" is not known; known: ", Join(names, ", ")));
}

TimmBlock ParseTimmBlock(const std::string& text, Activation default_act, const std::string& place) {
  const std::vector<std::string> words = Split(text, '_');
  const std::string type = words.front();
  Tokens tokens(text, place);
  if (type != "ir" && type != "ds" && type != "cn") {
    tokens.Fail(StrCat("block type \"", type, "\" is not supported; known: ir, ds, cn"));
  }
  const std::vector<std::string> legal = type == "cn" ? std::vector<std::string>{"r", "k", "s", "c"}
                                                      : std::vector<std::string>{"r", "k", "s", "e", "c", "se", "gs"};
  TimmBlock block;
  Layer& layer = block.layer;
  layer.act = default_act;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto token =
        std::find_if(kTokens.begin(), kTokens.end(), [&](const auto& t) { return t.second == words[i]; });
    if (token != kTokens.end()) {
      layer.act = token->first;
    } else if (words[i] == "noskip" && type != "cn") {
      block.no_skip = true;
    } else if (words[i] == "skip") {
      block.skip = true;
    } else {
      tokens.Add(words[i], legal);
    }
  }
  layer.op = type == "cn" ? "conv" : "mbconv";
  layer.kernel = tokens.Int("k", 1, kMaxKernel);
  if (layer.kernel % 2 == 0) tokens.Fail(StrCat("kernel ", layer.kernel, " is even; odd sizes are possible"));
  layer.stride = tokens.Int("s", 1, 2);
  layer.out_channels = MakeDivisible(tokens.Int("c", 1, kMaxChannels));
  block.repeats = tokens.Int("r", 1, 1024);
  if (type == "cn") return block;
  layer.groups = 0;
  layer.expand_ratio = type == "ds" ? 1 : tokens.Number("e", 0, 64);
  if (type == "ir" && layer.expand_ratio == 0) tokens.Fail("token \"e\" is 0; a number above 0 is needed");
  if (type == "ir" && layer.expand_ratio == 1) {
    tokens.Fail("an ir block of expansion 1 has an expansion conv of ratio 1, which no layer here has; write ds");
  }
  if (tokens.Has("se")) {
    const double ratio = tokens.Number("se", 0, 1);
    if (ratio != 0 && ratio != 0.25) tokens.Fail(StrCat("squeeze ratio ", ratio, "; only 0.25 is supported"));
    layer.use_se = ratio != 0;
  }
  // The number of groups follows from the hidden width, which is not known yet: kept negative until then.
  if (tokens.Has("gs")) layer.groups = -tokens.Int("gs", 1, kMaxChannels);
  return block;
}

Layer TimmLayer(const TimmBlock& block, int in_channels, bool first_of_stack) {
  Layer layer = block.layer;
  layer.in_channels = in_channels;
  if (!first_of_stack) layer.stride = 1;
  const bool kept = layer.stride == 1 && layer.in_channels == layer.out_channels;
  if (layer.op == "conv") {
    layer.skip = block.skip && kept;
    return layer;
  }
  layer.skip = kept && !block.no_skip;
  layer.mid_channels = layer.expand_ratio == 1 ? in_channels : MakeDivisible(in_channels * layer.expand_ratio);
  if (layer.groups < 0) {
    const int size = -layer.groups;
    if (layer.mid_channels % size != 0) {
      ThrowInput(StrCat("group size ", size, " does not divide ", layer.mid_channels, " hidden channels"));
    }
    layer.groups = size == 1 ? 0 : layer.mid_channels / size;
  }
  return layer;
}

std::string FormatTimmBlock(const Layer& layer, Activation default_act) {
  if (layer.op == "conv" && layer.act == Activation::kNone && default_act != Activation::kNone) {
    FailTimm(layer, "a conv block always has an activation");
  }
  std::string act;
  if (layer.act != default_act) {
    const auto token =
        std::find_if(kTokens.begin(), kTokens.end(), [&](const auto& t) { return t.first == layer.act; });
    if (token == kTokens.end()) FailTimm(layer, StrCat("activation ", ToString(layer.act), " has no token"));
    act = StrCat("_", token->second);
  }
  if (layer.stride > 2) FailTimm(layer, StrCat("stride ", layer.stride, " is above 2"));
  if (MakeDivisible(layer.out_channels) != layer.out_channels) {
    FailTimm(layer,
             StrCat("timm rounds ", layer.out_channels, " output channels to ", MakeDivisible(layer.out_channels)));
  }
  const std::string common = StrCat("_r1_k", layer.kernel, "_s", layer.stride);
  const bool kept = layer.stride == 1 && layer.in_channels == layer.out_channels;
  if (layer.op == "conv") {
    if (layer.groups != 1 || layer.dilation != 1 || layer.bias || layer.use_se || layer.shuffle || !layer.use_bn ||
        layer.dropout != 0 || layer.ops_order != "weight_bn_act") {
      FailTimm(layer, "only a plain conv with BN is");
    }
    return StrCat("cn", common, "_c", layer.out_channels, act, layer.skip ? "_skip" : "");
  }
  if (layer.op != "mbconv") FailTimm(layer, "there is no such block");
  const double ratio =
      layer.expand_ratio != 0 ? layer.expand_ratio : static_cast<double>(layer.mid_channels) / layer.in_channels;
  const bool expands = layer.expand_ratio != 1;
  if (expands && (ratio == 1 || MakeDivisible(layer.in_channels * ratio) != layer.mid_channels)) {
    FailTimm(layer, StrCat("timm makes the hidden width ", MakeDivisible(layer.in_channels * ratio), " of ratio ",
                           ratio, ", not ", layer.mid_channels));
  }
  const int mid = expands ? layer.mid_channels : layer.in_channels;
  return StrCat(expands ? "ir" : "ds", common, "_e", Shortest(ratio), "_c", layer.out_channels,
                layer.use_se ? "_se0.25" : "", layer.groups != 0 ? StrCat("_gs", mid / layer.groups) : "", act,
                kept && !layer.skip ? "_noskip" : "");
}

std::string WithRepeats(const std::string& block, int repeats) {
  return StrCat(block.substr(0, 3), "r", repeats, block.substr(5));
}

}  // namespace nas::detail
