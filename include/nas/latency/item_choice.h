// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nas/latency/block_key.h"
#include "nas/latency/latency_model.h"
#include "nas/space/search_space.h"

namespace nas {

/// Distinct keys of a space, sorted: of every candidate and of the fixed layers.
std::vector<BlockKey> SpaceKeys(const SearchSpace& space);

/// Greedy D-optimal choice: `count` row indices, each the one that adds most to det(XᵀX + ridge·I) with columns scaled
/// to unit RMS; ties to the lowest index. `rows`: for latency φ/t, so that relative errors count.
std::vector<int> ChooseDOptimal(const std::vector<std::vector<double>>& rows, int count, double ridge);

/// The rows nearest to `count` k-means centres in standardised z: evenly spread, not extremes. Indices, ascending.
std::vector<int> ChooseSpread(const std::vector<BlockKey>& keys, int count);

/// What to measure on a new device to transfer from `source` (latency.md §10): mbconv blocks of the space, for n < 20
/// spread over the shapes, else D-optimal for the source's cost terms; with `networks` a third of the items are whole
/// networks, drawn by seed.
struct ItemSuggestion {
  std::vector<BlockKey> blocks;
  std::vector<Choice> networks;
};
ItemSuggestion SuggestItems(const SearchSpace& space, const LatencyModel& source, int count, bool networks,
                            std::uint64_t seed);

}  // namespace nas
