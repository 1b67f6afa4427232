// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nas/data/loader.h"
#include "nas/search/inherited_accuracy.h"
#include "nas/search/search_state.h"
#include "nas/search/selection.h"

namespace nas {

/// How architectures are proposed and judged. The driver owns clock, files and the weight steps; a strategy owns what
/// happens between them, and how the final network is chosen.
class Strategy {
 public:
  virtual ~Strategy() = default;
  /// Whether architecture steps take place at all.
  virtual bool learns_alphas() const = 0;
  /// One architecture update of target `target` on a held-out batch; `update` numbers it within the run. Returns the
  /// cross-entropy of the batch.
  virtual double ArchStep(SearchState& state, const SearchTarget& target, TargetState& target_state, const Batch& batch,
                          std::int64_t update) const;
  /// The network that the strategy stands for under `budget` (nullopt = unconstrained); nullopt when none meets it.
  virtual std::optional<Selection> Select(const SearchState& state, const SearchTarget& target,
                                          const TargetState& target_state, std::optional<double> budget,
                                          InheritedAccuracy& accuracy) const;
};

/// By name: two, full, full_v2, reinforce, random, evolution. Throws kUsage with the nearest name.
std::unique_ptr<Strategy> MakeStrategy(const std::string& name, std::uint64_t seed);

}  // namespace nas
