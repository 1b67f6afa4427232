// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "nas/core/json.h"
#include "nas/latency/cost_table.h"
#include "nas/search/arch_parameters.h"

namespace nas {

/// Constants of path-level pruning (N8). Times are shares of the architecture updates.
struct PruningOptions {
  double start = 0.3;     ///< nothing is removed before
  double end = 0.9;       ///< from here on the threshold stands still, and an edge may be left with one op
  double c_start = 0.01;  ///< threshold on p, as a multiple of 1/n_e, at `start`; grows exponentially
  double c_end = 0.1;     ///< the same at `end`
  int checks = 2;         ///< successive checks in which an op must be below
  int least_ops = 2;      ///< ops that stay on an edge before `end`

  /// Throws kUsage naming the field and its legal range.
  void Validate() const;
};

/// One target's view of the search: who must be able to live with a removal.
struct PruneView {
  const ArchParameters* alphas = nullptr;
  const CostTable* table = nullptr;
  std::optional<double> budget;  ///< nullopt = unconstrained
};

struct PrunedOp {
  int edge = 0;
  int op = 0;
  double probability = 0;  ///< the greatest of all targets
};

/// Path-level pruning in the course of a search: candidates that have become improbable for every target are removed
/// for good (N8). Pure: it names them, the caller masks alphas and frees weights.
class Pruner {
 public:
  Pruner(const SearchSpace& space, int targets, const PruningOptions& options = {});

  /// c(t): the threshold on p is c(t) / n_e; 0 before `start`.
  double Threshold(double t) const;
  /// What to remove at an epoch's end, most improbable first; t = architecture updates done / all. Never named: any
  /// target's most probable op, ops of its constrained optimum (N7), and ops that would leave an edge with fewer than
  /// `least_ops` before `end`. Since the optimum stays, the fastest remaining network keeps meeting every budget.
  std::vector<PrunedOp> Check(double t, const std::vector<PruneView>& views);

  /// Which ops were below at how many of the last checks.
  Json State() const;
  void LoadState(const Json& state);

 private:
  PruningOptions options_;
  int targets_ = 1;
  std::vector<std::vector<int>> below_;  ///< [edge][op]: successive checks below the threshold
};

}  // namespace nas
