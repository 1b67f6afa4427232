// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/latency/block_key.h"
#include "nas/space/layer.h"

namespace nas::detail {

/// The layers that a latency key stands for: one, or pooling and classifier for `logits` with h > 1. What a key does
/// not say is filled in: relu6 behind stem and head convs, h_swish behind `conv_2`. `name`: prefix of the layers'
/// names.
std::vector<Layer> LayersOfKey(const BlockKey& key, const std::string& name);

}  // namespace nas::detail
