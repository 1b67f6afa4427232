// SPDX-License-Identifier: Apache-2.0
#include "nas/search/reinforce.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "search_host_test.h"

namespace nas {
namespace {

using test::Space;

TEST_CASE("Reward falls softly with the cost", "[reinforce]") {
  CHECK(ReinforceReward(0.6, 80, 80.0) == 0.6);
  CHECK(ReinforceReward(0.6, 160, 80.0) == Approx(0.6 * std::pow(0.5, 0.1)));
  CHECK(ReinforceReward(0.6, 40, 80.0) > 0.6);
  CHECK(ReinforceReward(0.6, 40, std::nullopt) == 0.6);
  CHECK_THROWS_AS(ReinforceReward(0.6, 0, 80.0), Error);
}

TEST_CASE("Advantages use the old baseline", "[reinforce]") {
  RewardBaseline baseline;
  CHECK(baseline.Advantages({0.2, 0.4}) == std::vector<double>{0.2 - (0.2 + 0.4) / 2, 0.4 - (0.2 + 0.4) / 2});
  CHECK(*baseline.value() == Approx(0.3));
  const auto second = baseline.Advantages({1.0, 1.0});
  CHECK(second[0] == Approx(0.7));
  CHECK(*baseline.value() == Approx(0.99 * 0.3 + 0.01 * 1.0));

  RewardBaseline restored;
  restored.LoadState(Json::parse(baseline.State().dump()));
  CHECK(restored.value() == baseline.value());
  restored.LoadState(RewardBaseline().State());
  CHECK_FALSE(restored.value());
  CHECK_THROWS_AS(restored.LoadState(Json::object()), Error);
}

TEST_CASE("Slope of -log p equals finite differences", "[reinforce]") {
  CounterRng rng(1);
  const SearchSpace space = Space("macro-cifar");
  const Matrix alpha = test::RandomAlphas(space, rng, 1);
  const Choice choice = space.Sample(rng);
  const Matrix gradient = NegativeLogProbabilityGradient(ArchParameters(alpha).Probabilities(), choice);
  const auto loss = [&](const Matrix& at) {
    const Matrix log_p = ArchParameters(at).LogProbabilities();
    double sum = 0;
    for (std::size_t e = 0; e < choice.size(); ++e) sum -= log_p[e][choice[e]];
    return sum;
  };
  for (std::size_t e = 0; e < alpha.size(); ++e) {
    for (std::size_t i = 0; i < alpha[e].size(); ++i) {
      Matrix up = alpha, down = alpha;
      up[e][i] += 1e-5;
      down[e][i] -= 1e-5;
      CHECK(gradient[e][i] == Approx((loss(up) - loss(down)) / 2e-5).epsilon(1e-6).margin(1e-9));
    }
  }
}

TEST_CASE("Gradient is the mean over samples and leaves pruned ops alone", "[reinforce]") {
  ArchParameters alphas(Matrix{{0.2, -0.1, 0.4}});
  alphas.Prune(0, 1);
  const Matrix p = alphas.Probabilities();
  const Matrix gradient = ReinforceGradient(alphas, {{0}, {2}}, {0.3, -0.1});
  CHECK(gradient[0][0] == Approx((0.3 * (p[0][0] - 1) - 0.1 * p[0][0]) / 2));
  CHECK(gradient[0][1] == 0);
  CHECK(gradient[0][0] + gradient[0][2] == Approx(0).margin(1e-15));
  CHECK_THROWS_AS(ReinforceGradient(alphas, {{0}}, {0.3, -0.1}), Error);
}

TEST_CASE("REINFORCE finds the rewarded path, Zero included", "[reinforce]") {
  const SearchSpace space = Space("tiny");
  CounterRng rng(2);
  Choice wanted = space.Sample(rng);
  for (std::size_t e = 0; e < wanted.size(); ++e) {
    if (e % 2 == 1 && space.edges()[e].skip_op >= 0) wanted[e] = space.edges()[e].skip_op;
  }
  ArchParameters alphas(space, 3);
  RewardBaseline baseline;
  const PathSampler sampler(4);
  for (std::uint64_t step = 0; step < 1500; ++step) {
    const Matrix p = alphas.Probabilities();
    std::vector<Choice> samples;
    std::vector<double> rewards;
    for (std::uint32_t j = 0; j < kReinforceSamples; ++j) {
      samples.push_back(sampler.Draw(p, kReinforceStream + j, step));
      double hits = 0;
      for (std::size_t e = 0; e < wanted.size(); ++e) hits += samples.back()[e] == wanted[e] ? 0.2 : 0;
      rewards.push_back(hits);
    }
    alphas.AdamStep(ReinforceGradient(alphas, samples, baseline.Advantages(rewards)), 0.02);
  }
  CHECK(alphas.Argmax() == wanted);
}

}  // namespace
}  // namespace nas
