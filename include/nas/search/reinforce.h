// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "nas/core/json.h"
#include "nas/search/arch_parameters.h"

namespace nas {

/// Architectures sampled per update (proxyless.md §6).
inline constexpr int kReinforceSamples = 10;

/// R = accuracy·(reference/cost)^w (N4; MnasNet's soft reward). `accuracy` 0…1; reference = the budget T, nullopt = no
/// target: R = accuracy.
double ReinforceReward(double accuracy, double cost, std::optional<double> reference, double exponent = 0.1);

/// ∂/∂α of −Σ_e log p_e(a_e): p − onehot(a) on every edge; 0 for pruned candidates.
Matrix NegativeLogProbabilityGradient(const Matrix& p, const Choice& choice);

/// Moving average of the rewards of one target.
class RewardBaseline {
 public:
  /// Advantages R_j − b with the b of before this update; then b ← 0.99·b + 0.01·mean R. b starts at the first mean.
  std::vector<double> Advantages(const std::vector<double>& rewards);
  std::optional<double> value() const { return value_; }

  Json State() const;
  void LoadState(const Json& state);

 private:
  std::optional<double> value_;
};

/// dL/dα of one REINFORCE update (Williams, 1992): mean_j (R_j − b)·∂(−log p of sample j), one advantage per sample.
Matrix ReinforceGradient(const ArchParameters& alphas, const std::vector<Choice>& samples,
                         const std::vector<double>& advantages);

}  // namespace nas
