// SPDX-License-Identifier: Apache-2.0
#include "nas/search/reinforce.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/stats.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr double kDecay = 0.99;

}  // namespace

double ReinforceReward(double accuracy, double cost, std::optional<double> reference, double exponent) {
  if (!reference) return accuracy;
  if (!(cost > 0)) ThrowInternal(StrCat("a network costs ", cost, ": no reward can be computed"));
  return accuracy * std::pow(*reference / cost, exponent);
}

Matrix NegativeLogProbabilityGradient(const Matrix& p, const Choice& choice) {
  Matrix gradient = p;
  for (std::size_t e = 0; e < choice.size(); ++e) gradient[e][choice[e]] -= 1;
  return gradient;
}

std::vector<double> RewardBaseline::Advantages(const std::vector<double>& rewards) {
  const double mean = Mean(rewards);
  const double old = value_.value_or(mean);
  std::vector<double> advantages;
  for (const double reward : rewards) advantages.push_back(reward - old);
  value_ = kDecay * old + (1 - kDecay) * mean;
  return advantages;
}

Json RewardBaseline::State() const { return value_ ? Json{{"value", *value_}} : Json{{"value", nullptr}}; }

void RewardBaseline::LoadState(const Json& state) {
  try {
    const Json& value = state.at("value");
    value_ = value.is_null() ? std::nullopt : std::optional<double>(value.get<double>());
  } catch (const std::exception& error) {
    ThrowInput(StrCat("the reward baseline in the checkpoint cannot be read: ", error.what()));
  }
}

Matrix ReinforceGradient(const ArchParameters& alphas, const std::vector<Choice>& samples,
                         const std::vector<double>& advantages) {
  if (samples.empty() || samples.size() != advantages.size()) {
    ThrowInternal(StrCat(samples.size(), " samples with ", advantages.size(), " advantages"));
  }
  const Matrix p = alphas.Probabilities();
  Matrix gradient = p;
  for (auto& row : gradient) row.assign(row.size(), 0);
  for (std::size_t j = 0; j < samples.size(); ++j) {
    const Matrix of_sample = NegativeLogProbabilityGradient(p, samples[j]);
    const double weight = advantages[j] / static_cast<double>(samples.size());
    for (std::size_t e = 0; e < p.size(); ++e) {
      for (std::size_t i = 0; i < p[e].size(); ++i) gradient[e][i] += weight * of_sample[e][i];
    }
  }
  return gradient;
}

}  // namespace nas
