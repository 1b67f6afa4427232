// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/search/strategy.h"

namespace nas {

/// Random search over a uniformly trained supernet: the best of a number of random feasible networks by inherited
/// accuracy.
class RandomStrategy : public Strategy {
 public:
  explicit RandomStrategy(std::uint64_t seed) : seed_(seed) {}
  bool learns_alphas() const override { return false; }
  std::optional<Selection> Select(const SearchState& state, const SearchTarget& target, const TargetState& target_state,
                                  std::optional<double> budget, InheritedAccuracy& accuracy) const override;

 private:
  std::uint64_t seed_;
};

/// Evolution over a uniformly trained supernet (OFA's finder), with as many judgements as random search gets.
class EvolutionStrategy : public Strategy {
 public:
  explicit EvolutionStrategy(std::uint64_t seed) : seed_(seed) {}
  bool learns_alphas() const override { return false; }
  std::optional<Selection> Select(const SearchState& state, const SearchTarget& target, const TargetState& target_state,
                                  std::optional<double> budget, InheritedAccuracy& accuracy) const override;

 private:
  std::uint64_t seed_;
};

}  // namespace nas
