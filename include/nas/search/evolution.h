// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "nas/core/json.h"
#include "nas/core/rng.h"
#include "nas/latency/cost_table.h"
#include "nas/search/feasible_sampler.h"

namespace nas {

/// Shares and rates of the evolutionary search of Once-for-All (Cai et al., ICLR 2020).
struct EvolutionOptions {
  int population = 100;         ///< architectures of a generation, parents included
  double parent_share = 0.25;   ///< of the population that live on and have children
  double mutation_share = 0.5;  ///< of the population that are mutants; the rest are crossovers
  double mutation_rate = 0.1;   ///< probability that a gene of a mutant is drawn anew

  /// Throws kUsage naming the field and its legal range.
  void Validate() const;
};

/// Evolutionary proposer by ask and tell. Pure: a function of its seed and of what it is told, with no clock and no
/// files. Every proposal meets the budget, and none is proposed twice.
class EvolutionProposer {
 public:
  /// Throws kInfeasible when no architecture meets the budget (nullopt = none is set).
  EvolutionProposer(const CostTable& table, std::optional<double> budget, const EvolutionOptions& options,
                    std::uint64_t seed);

  /// The next architecture to judge; nullopt when all that meet the budget have been proposed. Several may be out at a
  /// time, up to the rest of a generation (kInternal beyond).
  std::optional<Choice> Ask();
  /// Its fitness, higher is better; NaN counts as worst. kInternal for what was not asked, or was told before.
  void Tell(const Choice& choice, double fitness);

  /// The fittest so far (ties: lower cost, then lower op indices); nullopt before the first answer.
  std::optional<Choice> Best() const;
  /// Everything judged so far: the cache.
  const std::map<Choice, double>& known() const { return known_; }
  int generation() const { return generation_; }

  Json State() const;
  /// What was out for judging when the state was taken is handed out once more.
  void LoadState(const Json& state);

 private:
  std::optional<Choice> Draw();
  std::optional<Choice> Unseen();
  Choice Mutant(const Choice& parent, CounterRng& rng) const;
  Choice Crossover(const Choice& mother, const Choice& father, CounterRng& rng) const;
  void Revert(Choice* child, const Choice& parent, CounterRng& rng) const;
  bool Fitter(const Choice& x, const Choice& y) const;
  void NextGeneration();

  CostTable table_;
  std::optional<double> budget_;
  EvolutionOptions options_;
  std::uint64_t seed_;
  FeasibleSampler sampler_;
  std::map<Choice, double> known_;
  std::set<Choice> outstanding_;    ///< handed out, not told yet
  std::vector<Choice> reissued_;    ///< of these, the ones to hand out again after a restart
  std::vector<Choice> parents_;     ///< of this generation, fittest first; empty in generation 0
  std::vector<Choice> population_;  ///< judged members of this generation, parents included
  int asked_ = 0;                   ///< children of this generation handed out
  int generation_ = 0;
  std::uint64_t draws_ = 0;  ///< children made so far: the counter of their random numbers
};

}  // namespace nas
