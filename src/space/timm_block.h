// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "nas/space/layer.h"

// timm's block strings (`decode_arch_def` of timm 1.0), for the block types that this project can build:
//   ir = inverted residual, ds = the same without expansion, cn = conv, BN, activation.
// Tokens after the type, in any order: r repeats, k kernel, s stride, e expansion, c output channels, se squeeze ratio,
// gs group size, n activation (nre, nr6, nhs), skip, noskip. timm rounds c and the hidden width to multiples of 8.
namespace nas::detail {

/// A block without input channels, as often as it is repeated.
struct TimmBlock {
  Layer layer;
  int repeats = 1;
  bool no_skip = false;  ///< ir, ds: no shortcut even where the shape is kept
  bool skip = false;     ///< cn: shortcut where the shape is kept
};

/// Throws kInput naming the token, the legal ones, and `place`.
TimmBlock ParseTimmBlock(const std::string& text, Activation default_act, const std::string& place);

/// Fills in what follows from the channels that enter.
Layer TimmLayer(const TimmBlock& block, int in_channels, bool first_of_stack);

/// The string of a block, repeated once. Throws kInput "not expressible", with the reason.
std::string FormatTimmBlock(const Layer& layer, Activation default_act);

/// `ir_r1_k3_…` with another number of repeats.
std::string WithRepeats(const std::string& block, int repeats);

/// timm's names of activations: `hard_swish` for h_swish, `identity` for none.
std::string TimmActivation(Activation activation);
Activation ParseTimmActivation(std::string_view word);

/// Throws kInput `layer "x" (label) is not expressible in timm's block strings: reason`.
[[noreturn]] void FailTimm(const Layer& layer, std::string_view reason);

}  // namespace nas::detail
