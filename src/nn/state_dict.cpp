// SPDX-License-Identifier: Apache-2.0
#include "nas/nn/state_dict.h"

#include "nas/core/text.h"

namespace nas {

std::string StateDictPrefix(Family family, const Layer& layer) {
  const bool whole_block = layer.op == "bottleneck" || layer.op == "transition" || layer.op == "residual_tree";
  if (whole_block || !(StartsWith(layer.name, "blocks.") || layer.skip)) return layer.name;
  return layer.name + (family == Family::kProxyless ? ".mobile_inverted_conv" : ".conv");
}

}  // namespace nas
