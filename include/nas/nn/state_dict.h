// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/space/architecture.h"

namespace nas {

/// Prefix of a layer's tensors in the state dict of its family (proxyless.md §13): blocks with a shortcut slot hold
/// their op under `mobile_inverted_conv` (ProxylessNASNets) or `conv` (OFA); everything else stands under its own name.
std::string StateDictPrefix(Family family, const Layer& layer);

}  // namespace nas
