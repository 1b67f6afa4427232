// SPDX-License-Identifier: Apache-2.0
#include "ranking_probe.h"

#include <algorithm>
#include <set>

#include "nas/core/rng.h"
#include "nas/search/feasible_sampler.h"

namespace nas {
namespace {

constexpr int kArchitectures = 24;
constexpr int kLeastArchitectures = 8;
constexpr std::int64_t kMostImages = 1000;
constexpr std::int64_t kLeastImages = 250;
constexpr double kEarlyPart = 0.75;
constexpr std::uint64_t kSalt = 0x70726f6265;

}  // namespace

std::int64_t RankingProbe::images() const {
  const double affordable = 0.05 * setup_.schedule.work() / (kForwardImageCost * kArchitectures);
  const auto images = std::clamp(static_cast<std::int64_t>(affordable), kLeastImages, kMostImages);
  return std::min<std::int64_t>(images, setup_.carve_out->size());
}

double RankingProbe::work() const {
  const double look = kForwardImageCost * kArchitectures * static_cast<double>(images());
  return early_epoch() ? 2 * look : look;
}

std::optional<int> RankingProbe::early_epoch() const {
  const double cost = kForwardImageCost * kArchitectures * static_cast<double>(images());
  const int epoch = static_cast<int>(kEarlyPart * setup_.schedule.epochs);
  if (epoch < 1 || cost > 0.01 * setup_.schedule.work()) return std::nullopt;
  return epoch;
}

InheritedAccuracy RankingProbe::Accuracy(SearchState& state, bool only_ranked) const {
  const std::int64_t judged = only_ranked ? images() : std::min<std::int64_t>(kMostImages, setup_.carve_out->size());
  Loader loader(setup_.carve_out, setup_.LoaderFor(Augmentation::kEval, JudgingBatch(judged), /*stream=*/3));
  return InheritedAccuracy(state.net, loader, judged);
}

std::vector<Choice> RankingProbe::RandomArchitectures(const SearchState& state) const {
  const FeasibleSampler sampler(setup_.targets[0].table, std::nullopt, state.targets[0].alphas.pruned());
  CounterRng rng(MixSeed(setup_.options.seed, kSalt));
  std::set<Choice> seen;
  std::vector<Choice> choices;
  for (int draw = 0; draw < 20 * kArchitectures && choices.size() < kArchitectures; ++draw) {
    Choice choice = sampler.Sample(rng);
    if (seen.insert(choice).second) choices.push_back(std::move(choice));
  }
  return choices;
}

void RankingProbe::LookEarly(SearchState& state, InheritedAccuracy& accuracy) const {
  state.earlier_accuracy.clear();
  for (const Choice& choice : RandomArchitectures(state)) {
    state.earlier_accuracy[setup_.space.Code(choice)] = accuracy(choice);
  }
}

std::optional<RankingConfidence> RankingProbe::Judge(SearchState& state, InheritedAccuracy& accuracy) const {
  std::vector<Choice> choices;
  for (const auto& [code, earlier] : state.earlier_accuracy) {
    const Choice choice = setup_.space.Decode(code);
    bool left = true;
    for (std::size_t e = 0; e < choice.size(); ++e) left = left && !state.targets[0].alphas.pruned()[e][choice[e]];
    if (left) choices.push_back(choice);
  }
  const bool has_earlier = choices.size() >= kLeastArchitectures;
  if (!has_earlier) choices = RandomArchitectures(state);
  if (choices.size() < kLeastArchitectures) return std::nullopt;

  RankingSample sample;
  for (const Choice& choice : choices) {
    const auto [a, b] = accuracy.Halves(choice);
    sample.half_a.push_back(a);
    sample.half_b.push_back(b);
    if (has_earlier) sample.earlier.push_back(state.earlier_accuracy.at(setup_.space.Code(choice)));
    double blocks = 0;
    for (std::size_t e = 0; e < choice.size(); ++e) blocks += choice[e] != setup_.space.edges()[e].skip_op;
    sample.blocks.push_back(blocks);
    sample.macs.push_back(static_cast<double>(CountMacs(setup_.space.Build(choice)).value));
  }
  return JudgeRanking(sample, setup_.options.seed);
}

}  // namespace nas
