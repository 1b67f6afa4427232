// SPDX-License-Identifier: Apache-2.0
#include "nas/space/layer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr std::array<std::pair<Activation, std::string_view>, 7> kActivations{{{Activation::kNone, "none"},
                                                                               {Activation::kRelu, "relu"},
                                                                               {Activation::kRelu6, "relu6"},
                                                                               {Activation::kTanh, "tanh"},
                                                                               {Activation::kSigmoid, "sigmoid"},
                                                                               {Activation::kHSwish, "h_swish"},
                                                                               {Activation::kHSigmoid, "h_sigmoid"}}};

}  // namespace

std::string_view ToString(Activation activation) {
  for (const auto& [value, word] : kActivations) {
    if (value == activation) return word;
  }
  ThrowInternal(StrCat("activation number ", static_cast<int>(activation), " has no name"));
}

Activation ParseActivation(std::string_view word) {
  if (word == "null") return Activation::kNone;
  if (word == "hswish" || word == "hard_swish" || word == "hs") return Activation::kHSwish;
  std::vector<std::string> words;
  for (const auto& [value, known] : kActivations) {
    if (word == known) return value;
    words.emplace_back(known);
  }
  ThrowInput(StrCat("activation \"", word, "\" is not known; known: ", Join(words, ", ")));
}

int MakeDivisible(double value, int divisor) {
  const double multiple = std::floor((value + divisor / 2.0) / divisor) * divisor;
  double rounded = std::max<double>(divisor, multiple);
  if (rounded < 0.9 * value) rounded += divisor;
  if (!(rounded < 1e9)) ThrowInput(StrCat("a width of ", value, " channels is too large"));
  return static_cast<int>(rounded);
}

}  // namespace nas
