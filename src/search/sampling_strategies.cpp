// SPDX-License-Identifier: Apache-2.0
#include "sampling_strategies.h"

#include "nas/core/error.h"
#include "nas/search/evolution.h"
#include "nas/search/feasible_sampler.h"

namespace nas {
namespace {

constexpr int kJudgements = 200;  // networks judged per selection, alike for both baselines
constexpr std::uint64_t kRandomSalt = 0x72616e;
constexpr std::uint64_t kEvolutionSalt = 0x65766f;

Selection Chosen(const Choice& choice, const SearchTarget& target, const TargetState& target_state) {
  Selection selection;
  selection.choice = choice;
  selection.cost = target.table.Cost(choice);
  const Matrix log_p = target_state.alphas.LogProbabilities();
  for (std::size_t edge = 0; edge < choice.size(); ++edge) selection.log_prob += log_p[edge][choice[edge]];
  return selection;
}

bool Reachable(const SearchTarget& target, std::optional<double> budget) { return !budget || *budget >= target.min(); }

}  // namespace

std::optional<Selection> RandomStrategy::Select(const SearchState& /*state*/, const SearchTarget& target,
                                                const TargetState& target_state, std::optional<double> budget,
                                                InheritedAccuracy& accuracy) const {
  if (!Reachable(target, budget)) return std::nullopt;
  const FeasibleSampler sampler(target.table, budget);
  CounterRng rng(MixSeed(seed_, kRandomSalt));
  std::optional<Choice> best;
  double best_accuracy = -1;
  for (int i = 0; i < kJudgements; ++i) {
    const Choice choice = sampler.Sample(rng);
    const double judged = accuracy(choice);
    if (judged > best_accuracy) {
      best_accuracy = judged;
      best = choice;
    }
  }
  return Chosen(*best, target, target_state);
}

std::optional<Selection> EvolutionStrategy::Select(const SearchState& /*state*/, const SearchTarget& target,
                                                   const TargetState& target_state, std::optional<double> budget,
                                                   InheritedAccuracy& accuracy) const {
  if (!Reachable(target, budget)) return std::nullopt;
  EvolutionOptions options;
  options.population = kJudgements / 4;
  EvolutionProposer proposer(target.table, budget, options, MixSeed(seed_, kEvolutionSalt));
  for (int i = 0; i < kJudgements; ++i) {
    const auto choice = proposer.Ask();
    if (!choice) break;
    proposer.Tell(*choice, accuracy(*choice));
  }
  const auto best = proposer.Best();
  if (!best) return std::nullopt;
  return Chosen(*best, target, target_state);
}

}  // namespace nas
