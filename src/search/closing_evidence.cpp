// SPDX-License-Identifier: Apache-2.0
#include "closing_evidence.h"

#include <algorithm>
#include <set>

#include "nas/core/rng.h"

namespace nas {
namespace {

constexpr double kShareOfRun = 0.05;
constexpr int kMostNetworks = 400;
constexpr int kTriesPerNetwork = 20;
constexpr std::uint64_t kSalt = 0x65766964;

/// Half of what was learned and half of chance: near the networks in question, and every candidate that is left often
/// enough to be told apart.
Matrix MixedWithUniform(Matrix p) {
  for (auto& row : p) {
    const auto left = static_cast<double>(std::count_if(row.begin(), row.end(), [](double v) { return v > 0; }));
    for (double& value : row) value = value > 0 ? (value + 1 / left) / 2 : 0;
  }
  return p;
}

}  // namespace

int ClosingEvidence::networks(std::int64_t images) const {
  int candidates = 0;
  for (const Edge& edge : setup_.space.edges()) candidates += edge.size();
  const double each = kForwardImageCost * static_cast<double>(std::max<std::int64_t>(images, 1));
  const double affordable = std::min<double>(kShareOfRun * setup_.schedule.work() / each, kMostNetworks);
  return std::max(static_cast<int>(affordable), LeastForMainEffects(candidates));
}

std::vector<Choice> ClosingEvidence::Networks(int count) const {
  std::vector<Matrix> p;
  for (const TargetState& target : state_.targets) p.push_back(MixedWithUniform(target.Probabilities()));
  const PathSampler sampler(MixSeed(setup_.options.seed, kSalt));
  std::set<Choice> seen;
  std::vector<Choice> choices;
  for (int draw = 0; draw < kTriesPerNetwork * count && static_cast<int>(choices.size()) < count; ++draw) {
    Choice choice =
        sampler.Draw(p[static_cast<std::size_t>(draw) % p.size()], kWeightStream, static_cast<std::uint64_t>(draw));
    if (seen.insert(choice).second) choices.push_back(std::move(choice));
  }
  return choices;
}

std::optional<MainEffects> ClosingEvidence::Weigh(InheritedAccuracy& accuracy) {
  int left = 0;
  std::vector<std::size_t> ops;
  for (int e = 0; e < state_.targets[0].alphas.edges(); ++e) {
    left += state_.targets[0].alphas.left(e);
    ops.push_back(state_.targets[0].alphas.alpha()[e].size());
  }
  const std::vector<Choice> choices = Networks(networks(accuracy.images()));
  if (static_cast<int>(choices.size()) < LeastForMainEffects(left) || accuracy.images() == 0) return std::nullopt;
  std::vector<double> judged;
  for (const Choice& choice : choices) judged.push_back(accuracy(choice));
  MainEffects effects = FitMainEffects(choices, judged, ops);
  if (effects.explained <= 0 || effects.standard_error <= 0) return std::nullopt;
  Matrix nats = effects.effect;
  for (auto& row : nats) {
    for (double& value : row) value /= effects.standard_error;
  }
  for (TargetState& target : state_.targets) target.alphas.Add(nats);
  return effects;
}

}  // namespace nas
