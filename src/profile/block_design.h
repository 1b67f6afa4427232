// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nas/latency/block_key.h"

namespace nas::detail {

/// Chooses which blocks of a space to time: greedy D-optimal on φ over a rough cost (so that dear and cheap blocks
/// weigh alike), then filled so that each kernel, stride, SE, activation, stage and both ends of the resolution occur
/// (latency.md §9.10). Returns indices into `keys` in the order of choice; all of them when `count` allows it.
/// Deterministic; ties go to the lowest index. `keys`: distinct, all mbconv.
std::vector<int> ChooseBlocks(const std::vector<BlockKey>& keys, int count);

}  // namespace nas::detail
