// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "nas/core/json.h"
#include "nas/latency/cost_table.h"
#include "nas/search/arch_parameters.h"

namespace nas {

enum class LossForm { kDual, kMulLog, kAddLinear };

/// One target's hardware term (N6): E, its gradient on alphas, and the multiplier.
class LatencyConstraint {
 public:
  /// `budget` in the table's unit; nullopt = unconstrained. `arch_updates` = U_m.
  LatencyConstraint(CostTable table, std::optional<double> budget, LossForm form, std::int64_t arch_updates);

  const CostTable& table() const { return table_; }
  const std::optional<double>& budget() const { return budget_; }
  double lambda() const { return lambda_; }
  double Expected(const ArchParameters& alphas) const;
  /// Adds the hardware part of dL/dα to `gradient`, and scales the CE part where the loss form says so (mul-log).
  /// `sample`: the pairs of mode two (gradient on the pair with q), or null for the full form.
  void AddGradient(const ArchParameters& alphas, const std::vector<EdgeSample>* sample, double cross_entropy,
                   Matrix* gradient) const;
  /// Dual ascent after an arch step, steadied as N6 asks: E settles within 5 % of T.
  void Update(double expected);

  Json State() const;
  void LoadState(const Json& state);

 private:
  CostTable table_;
  std::optional<double> budget_;
  LossForm form_;
  double eta_ = 0;
  double lambda_ = 0;
  double proportional_ = 0;
};

}  // namespace nas
