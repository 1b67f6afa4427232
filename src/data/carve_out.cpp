// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <utility>

#include "class_split.h"
#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "seed_streams.h"

namespace nas {
namespace detail {

std::vector<std::vector<std::int64_t>> IndicesByClass(const Dataset& dataset) {
  std::vector<std::vector<std::int64_t>> indices(dataset.classes());
  for (std::int64_t i = 0; i < dataset.size(); ++i) indices.at(dataset.label(i)).push_back(i);
  return indices;
}

std::vector<std::int64_t> ChooseOfClass(const std::vector<std::int64_t>& indices, std::int64_t count,
                                        std::uint64_t seed, std::uint64_t salt, int label) {
  CounterRng rng(MixSeed(seed, salt), static_cast<std::uint64_t>(label));
  const std::vector<std::int64_t> order = rng.Permutation(static_cast<std::int64_t>(indices.size()));
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < count; ++i) chosen.push_back(indices[order[i]]);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

Carved SplitByCounts(std::shared_ptr<const Dataset> dataset, const std::vector<std::int64_t>& counts,
                     std::uint64_t seed, std::uint64_t salt) {
  const auto by_class = IndicesByClass(*dataset);
  std::vector<bool> taken(dataset->size());
  for (std::size_t c = 0; c < by_class.size(); ++c) {
    for (const auto i : ChooseOfClass(by_class[c], counts[c], seed, salt, static_cast<int>(c))) taken[i] = true;
  }
  std::vector<std::int64_t> part;
  std::vector<std::int64_t> rest;
  for (std::int64_t i = 0; i < dataset->size(); ++i) (taken[i] ? part : rest).push_back(i);
  return {Subset(dataset, std::move(rest)), Subset(dataset, std::move(part))};
}

std::vector<std::int64_t> BalancedCounts(const std::vector<std::int64_t>& class_sizes, std::int64_t count) {
  const std::size_t classes = class_sizes.size();
  std::vector<std::int64_t> limits(classes);
  for (std::size_t c = 0; c < classes; ++c) limits[c] = std::max<std::int64_t>(class_sizes[c] / 2, 1);
  std::vector<std::int64_t> counts(classes, 1);
  std::int64_t left = count - static_cast<std::int64_t>(classes);
  // Rounds of equal shares among the classes that can still give; the last few go to the first of them.
  while (left > 0) {
    std::vector<std::size_t> open;
    for (std::size_t c = 0; c < classes; ++c) {
      if (counts[c] < limits[c]) open.push_back(c);
    }
    if (open.empty()) break;
    const std::int64_t share = std::max<std::int64_t>(left / static_cast<std::int64_t>(open.size()), 1);
    for (const std::size_t c : open) {
      const std::int64_t step = std::min({share, limits[c] - counts[c], left});
      counts[c] += step;
      left -= step;
    }
  }
  return counts;
}

}  // namespace detail

Carved CarveOut(std::shared_ptr<const Dataset> dataset, std::int64_t count, std::uint64_t seed, int min_per_class) {
  const int needed = std::max(min_per_class, 2);
  std::vector<std::int64_t> sizes(dataset->classes());
  for (std::int64_t i = 0; i < dataset->size(); ++i) ++sizes.at(dataset->label(i));
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    if (sizes[c] >= needed) continue;
    ThrowInput(StrCat("class '", dataset->class_names()[c], "' has ", sizes[c], sizes[c] == 1 ? " image" : " images",
                      " for training, but ", needed, " are needed to set some aside; add images or remove the class"));
  }
  return detail::SplitByCounts(dataset, detail::BalancedCounts(sizes, count), seed, detail::kCarveOutSalt);
}

}  // namespace nas
