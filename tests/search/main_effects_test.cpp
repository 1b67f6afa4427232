// SPDX-License-Identifier: Apache-2.0
#include "nas/search/main_effects.h"

#include <catch2/catch.hpp>

#include <cmath>

#include "nas/core/rng.h"
#include "nas/core/stats.h"

namespace nas {
namespace {

constexpr int kEdges = 8;
constexpr int kOps = 3;
const std::vector<std::size_t> kSpace(kEdges, kOps);

/// Worth of a candidate; edges differ in weight and sign.
double Worth(int edge, int op) { return 0.002 * (edge + 1) * op * (edge % 2 == 0 ? 1 : -0.5); }

double Truth(const Choice& choice) {
  double accuracy = 0.5;
  for (int e = 0; e < kEdges; ++e) accuracy += Worth(e, choice[e]);
  return accuracy;
}

struct Sample {
  std::vector<Choice> choices;
  std::vector<double> truth;
  std::vector<double> judged;
};

Sample Draw(int count, double noise) {
  Sample sample;
  CounterRng rng(7);
  for (int i = 0; i < count; ++i) {
    Choice choice;
    for (int e = 0; e < kEdges; ++e) choice.push_back(static_cast<int>(rng.Below(kOps)));
    sample.choices.push_back(choice);
    sample.truth.push_back(Truth(choice));
    // Twelve uniform draws less 6: variance 1.
    double z = -6;
    for (int k = 0; k < 12; ++k) z += rng.Uniform();
    sample.judged.push_back(sample.truth.back() + noise * z);
  }
  return sample;
}

}  // namespace

TEST_CASE("main effects of accuracies that are sums are found exactly but for the penalty", "[search]") {
  const Sample sample = Draw(200, 0);
  const MainEffects effects = FitMainEffects(sample.choices, sample.judged, kSpace);
  CHECK(effects.architectures == 200);
  CHECK(effects.explained > 0.999);
  for (int e = 0; e < kEdges; ++e) {
    for (int op = 1; op < kOps; ++op) {
      const double difference = effects.effect[e][op] - effects.effect[e][0];
      CHECK(difference == Approx(Worth(e, op) - Worth(e, 0)).margin(5e-5));
    }
  }
  CHECK(effects.Predict(sample.choices[0]) == Approx(sample.truth[0]).margin(2e-4));
}

TEST_CASE("effects order networks better than the noisy judgements they come from", "[search]") {
  const Sample sample = Draw(150, 0.02);
  const MainEffects effects = FitMainEffects(sample.choices, sample.judged, kSpace);
  std::vector<double> predicted;
  for (const Choice& choice : sample.choices) predicted.push_back(effects.Predict(choice));
  CHECK(KendallTauB(predicted, sample.truth) > KendallTauB(sample.judged, sample.truth) + 0.1);
  // What they say of their own error holds: noise 0.02, each candidate in every third network.
  CHECK(effects.error == Approx(0.02).epsilon(0.25));
  CHECK(effects.standard_error == Approx(0.02 * std::sqrt(2 * 3 / 150.0)).epsilon(0.25));
}

TEST_CASE("accuracies that follow no candidate explain nothing", "[search]") {
  Sample sample = Draw(100, 0);
  CounterRng rng(3);
  for (double& value : sample.judged) value = rng.Uniform();
  CHECK(FitMainEffects(sample.choices, sample.judged, kSpace).explained < 0.1);
  for (double& value : sample.judged) value = 0.1;
  CHECK(FitMainEffects(sample.choices, sample.judged, kSpace).explained <= 0);
}

TEST_CASE("a candidate in no judged network has no effect", "[search]") {
  Sample sample = Draw(120, 0);
  for (Choice& choice : sample.choices) choice[3] = choice[3] == 2 ? 1 : choice[3];
  for (std::size_t i = 0; i < sample.choices.size(); ++i) sample.judged[i] = Truth(sample.choices[i]);
  const MainEffects effects = FitMainEffects(sample.choices, sample.judged, kSpace);
  CHECK(effects.effect[3][2] == 0);
  CHECK(effects.effect[3][1] < effects.effect[3][0]);
}

TEST_CASE("main effects refuse lists that do not belong together", "[search]") {
  const Sample sample = Draw(4, 0);
  CHECK_THROWS(FitMainEffects(sample.choices, {0.1, 0.2}, kSpace));
  CHECK_THROWS(FitMainEffects({}, {}, kSpace));
}

}  // namespace nas
