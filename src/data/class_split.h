// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nas/data/dataset.h"

namespace nas::detail {

/// Indices of each class, ascending.
std::vector<std::vector<std::int64_t>> IndicesByClass(const Dataset& dataset);

/// `count` of the given indices, chosen by (seed, salt, label), ascending.
std::vector<std::int64_t> ChooseOfClass(const std::vector<std::int64_t>& indices, std::int64_t count,
                                        std::uint64_t seed, std::uint64_t salt, int label);

/// `counts[c]` images of class c in the part, the others in the rest.
Carved SplitByCounts(std::shared_ptr<const Dataset> dataset, const std::vector<std::int64_t>& counts,
                     std::uint64_t seed, std::uint64_t salt);

/// Equal shares of `count` (±1), at least 1 and at most half of a class (rounded down, but not below 1).
std::vector<std::int64_t> BalancedCounts(const std::vector<std::int64_t>& class_sizes, std::int64_t count);

}  // namespace nas::detail
