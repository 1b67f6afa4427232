// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "nas/core/json.h"
#include "nas/latency/cost_table.h"
#include "nas/search/arch_parameters.h"

namespace nas {

enum class LossForm {
  kDual,       ///< CE + λ·(E/T − 1), λ by dual ascent (N6)
  kMulLog,     ///< αc·CE·(ln E / ln T)^β, of the released code (proxyless.md §7)
  kAddLinear,  ///< CE + λ·(E − T)/T with a fixed λ, of the released code
};

/// One target's hardware term (N6): E, its gradient on alphas, and the multiplier.
class LatencyConstraint {
 public:
  /// `budget` in the table's unit; nullopt = unconstrained (λ stays 0). `arch_updates` = U_m.
  /// Throws kUsage for mul-log when the budget or the least reachable cost is at most 1: ln E must stay positive.
  LatencyConstraint(CostTable table, std::optional<double> budget, LossForm form, std::int64_t arch_updates);

  const CostTable& table() const { return table_; }
  const std::optional<double>& budget() const { return budget_; }
  /// The multiplier on E/T − 1 (0 for mul-log, which has none).
  double lambda() const { return lambda_; }
  /// E of the full probabilities, whatever was sampled.
  double Expected(const ArchParameters& alphas) const;
  /// Adds the hardware part of dL/dα to `gradient` (for dual with λ + 40·(E/T − 1), steadied as N6 asks), and scales
  /// the CE part where the loss form says so (mul-log). `sample`: the pairs of mode two (gradient on the pair with q),
  /// or null for the full form.
  void AddGradient(const ArchParameters& alphas, const std::vector<EdgeSample>* sample, double cross_entropy,
                   Matrix* gradient) const;
  /// Dual ascent after an arch step: λ ← max(0, λ + η·(E/T − 1)), an error counting up to 20 % of T; η = 200 / U_m.
  void Update(double expected);

  Json State() const;
  void LoadState(const Json& state);

 private:
  double Weight(double expected, double cross_entropy, double* ce_scale) const;

  CostTable table_;
  std::optional<double> budget_;
  LossForm form_;
  double eta_ = 0;
  double lambda_ = 0;
};

}  // namespace nas
