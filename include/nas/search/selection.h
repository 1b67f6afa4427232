// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nas/latency/cost_table.h"
#include "nas/search/path_sampler.h"

namespace nas {

struct Selection {
  Choice choice;
  double log_prob = 0;     ///< Σ_e log p_e(o_e)
  double cost = 0;         ///< predicted total
  std::int64_t nodes = 0;  ///< branch-and-bound nodes looked at
  /// Nats that a better architecture could be more probable at most; 0 = proved the best, as it is unless log p is
  /// nearly linear in the cost on a large space.
  double gap = 0;
};

/// The most probable architecture whose cost does not exceed `budget` (N7): exact multiple-choice knapsack, by dynamic
/// programming over rounded costs and branch and bound on the true ones. Ties (within 1e-9 nats per edge): lower cost,
/// then lower op indices. `log_p[edge][op]` is −inf for candidates that are gone. nullopt when no architecture meets
/// the budget.
std::optional<Selection> SelectMostProbable(const Matrix& log_p, const CostTable& table, double budget);

/// The most probable architecture within `budget`, or, where that one leaves more than 1 − `least_share` of it unused,
/// the one that is most probable once latency is given back the price that uses at least that share: maximises
/// Σ_e (log p_e(o_e) + μ·L_e(o_e)) for the least such μ ≥ 0 (to 1 %). For probabilities that were learned under the
/// pressure of a smaller budget. `log_prob` is that of `log_p` alone.
std::optional<Selection> SelectUsingBudget(const Matrix& log_p, const CostTable& table, double budget,
                                           double least_share);

/// The unconstrained argmax (ties: lowest index) with its cost.
Selection SelectArgmax(const Matrix& log_p, const CostTable& table);

}  // namespace nas
