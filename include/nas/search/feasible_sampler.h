// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "nas/core/rng.h"
#include "nas/latency/cost_table.h"

namespace nas {

/// Draws architectures uniformly from all that meet a budget, however few they are among the space: candidates are
/// drawn edge by edge in proportion to the number of ways to finish within the budget. The baseline of random search.
class FeasibleSampler {
 public:
  /// `budget` nullopt: every architecture. `gone[edge][op]`: candidates that are left out; empty = none.
  /// Throws kInfeasible naming the least reachable cost when no architecture meets the budget.
  FeasibleSampler(const CostTable& table, std::optional<double> budget,
                  const std::vector<std::vector<bool>>& gone = {});
  ~FeasibleSampler();
  FeasibleSampler(FeasibleSampler&&) noexcept;
  FeasibleSampler& operator=(FeasibleSampler&&) noexcept;

  Choice Sample(CounterRng& rng) const;
  /// About how many architectures there are to draw from: exact but for those within rounding of the budget (0.5 %).
  double count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nas
