// SPDX-License-Identifier: Apache-2.0
#include "nas/search/ranking_confidence.h"

#include <cmath>
#include <numbers>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/stats.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

// Accuracies of n networks: share `by_macs` of the signal's variance from MACs, the rest of their own; each half adds
// noise.
struct Simulation {
  int architectures = 100;
  double by_macs = 0.3;
  double noise = 0.5;  // standard deviation of a half's error, in that of the signal
  bool earlier = false;
  double drift = 0.5;  // what training on adds to the signal
};

struct Simulated {
  RankingSample sample;
  std::vector<double> whole, again;  // accuracies on the whole set, and on another one of its size
};

Simulated Simulate(const Simulation& s, std::uint64_t seed) {
  CounterRng rng(seed);
  Simulated out;
  for (int i = 0; i < s.architectures; ++i) {
    const double size = rng.Normal();
    const double signal = std::sqrt(s.by_macs) * size + std::sqrt(1 - s.by_macs) * rng.Normal();
    const auto accuracy = [&](double deviation) { return 0.5 + 0.03 * (signal + deviation * rng.Normal()); };
    out.sample.half_a.push_back(accuracy(s.noise));
    out.sample.half_b.push_back(accuracy(s.noise));
    out.sample.macs.push_back(1e7 * std::exp(0.3 * size));
    out.sample.blocks.push_back(std::round(10 + 2 * (size + rng.Normal())));
    if (s.earlier) out.sample.earlier.push_back(accuracy(std::hypot(s.drift, s.noise / std::sqrt(2.0))));
    out.whole.push_back((out.sample.half_a.back() + out.sample.half_b.back()) / 2);
    out.again.push_back(accuracy(s.noise / std::sqrt(2.0)));
  }
  return out;
}

TEST_CASE("Split-half correlation is corrected to the whole set", "[ranking]") {
  const double noise = GENERATE(0.3, 1.0, 2.0);
  Simulation simulation;
  simulation.architectures = 4000;
  simulation.noise = noise;
  const Simulated data = Simulate(simulation, 1);
  // What the formula stands for: the whole set against an independent one of its size.
  RankingSample few = data.sample;
  for (auto* values : {&few.half_a, &few.half_b, &few.macs, &few.blocks}) values->resize(400);
  const double truth = KendallTauB(data.whole, data.again);
  const RankingConfidence c = JudgeRanking(few, 1);
  CHECK(c.split_half.tau > c.halves.tau);
  CHECK(std::abs(c.split_half.tau - truth) < 0.08);
}

TEST_CASE("Intervals hold the truth and shrink with more networks", "[ranking]") {
  Simulation simulation;
  simulation.noise = 0.7;
  const double r = 1 / (1 + 0.49);
  const double truth = 2 / std::numbers::pi * std::asin(r);
  int held = 0;
  double wide = 0, narrow = 0;
  constexpr int kRuns = 30;
  for (std::uint64_t seed = 0; seed < kRuns; ++seed) {
    simulation.architectures = 40;
    const RankCorrelation few = JudgeRanking(Simulate(simulation, seed).sample, seed).halves;
    held += few.low <= truth && truth <= few.high ? 1 : 0;
    wide += few.high - few.low;
    if (seed >= 5) continue;
    simulation.architectures = 160;
    const RankCorrelation many = JudgeRanking(Simulate(simulation, seed).sample, seed).halves;
    narrow += many.high - many.low;
  }
  CHECK(held >= 24);
  CHECK(narrow / 5 < 0.65 * wide / kRuns);
}

TEST_CASE("A clear ranking is enough, noise is too small", "[ranking]") {
  Simulation simulation;
  simulation.noise = 0.3;
  const RankingConfidence good = JudgeRanking(Simulate(simulation, 1).sample, 1);
  CHECK(good.verdict == RankingVerdict::kEnough);
  CHECK(good.text.find("enough: split-half tau") == 0);
  simulation.noise = 4;
  const RankingConfidence bad = JudgeRanking(Simulate(simulation, 2).sample, 1);
  CHECK(bad.verdict == RankingVerdict::kTooSmall);
  CHECK(bad.text.find("more validation images") != std::string::npos);
  // The same quality, but too few networks to say so.
  simulation.noise = 0.7;
  simulation.architectures = 12;
  const RankingConfidence unsure = JudgeRanking(Simulate(simulation, 4).sample, 1);
  CHECK(unsure.verdict == RankingVerdict::kTooSmall);
}

TEST_CASE("Agreement beyond counts shows only where there is some", "[ranking]") {
  Simulation simulation;
  simulation.noise = 0.3;
  simulation.by_macs = 0.2;
  const RankingConfidence own = JudgeRanking(Simulate(simulation, 1).sample, 1);
  CHECK(own.beyond_counts.low > 0.2);
  CHECK(own.split_half.tau > own.macs.tau);
  simulation.by_macs = 1;
  simulation.noise = 0.5;
  int claimed = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const RankingConfidence counts = JudgeRanking(Simulate(simulation, seed).sample, 1);
    CHECK(counts.macs.tau > 0.5);
    CHECK(std::abs(counts.beyond_counts.tau) < 0.3);
    claimed += counts.beyond_counts.low > 0 ? 1 : 0;
  }
  CHECK(claimed <= 2);
}

TEST_CASE("An earlier checkpoint that ranked otherwise shows", "[ranking]") {
  Simulation simulation;
  simulation.noise = 0.3;
  const RankingConfidence without = JudgeRanking(Simulate(simulation, 1).sample, 1);
  CHECK(std::isnan(without.checkpoints.tau));
  CHECK(ToJson(without)["checkpoints"].is_null());
  simulation.earlier = true;
  simulation.drift = 0.1;
  const RankingConfidence steady = JudgeRanking(Simulate(simulation, 1).sample, 1);
  simulation.drift = 3;
  const RankingConfidence restless = JudgeRanking(Simulate(simulation, 1).sample, 1);
  CHECK(steady.checkpoints.low > restless.checkpoints.high);
}

TEST_CASE("The judgement is deterministic, and writes itself down", "[ranking]") {
  const RankingSample sample = Simulate(Simulation{}, 3).sample;
  const Json first = ToJson(JudgeRanking(sample, 9));
  CHECK(first == ToJson(JudgeRanking(sample, 9)));
  CHECK(first != ToJson(JudgeRanking(sample, 10)));
  CHECK(first["architectures"] == 100);
  CHECK(first["split_half"]["interval"].size() == 2);
  CHECK((first["verdict"] == "enough" || first["verdict"] == "too small"));
}

TEST_CASE("Degenerate data is named, not divided by", "[ranking]") {
  RankingSample sample;
  for (int i = 0; i < 10; ++i) {
    sample.half_a.push_back(0.1);
    sample.half_b.push_back(0.1);
    sample.blocks.push_back(5);
    sample.macs.push_back(1e6 + i);
  }
  const RankingConfidence flat = JudgeRanking(sample, 1);
  CHECK(flat.verdict == RankingVerdict::kTooSmall);
  CHECK(flat.text.find("same accuracy") != std::string::npos);
  sample.macs.pop_back();
  CHECK_THROWS_AS(JudgeRanking(sample, 1), Error);
  for (auto* values : {&sample.half_a, &sample.half_b, &sample.blocks, &sample.macs}) values->resize(7);
  CHECK_THROWS_WITH(JudgeRanking(sample, 1), Catch::Contains("7 architectures are too few"));
}

}  // namespace
}  // namespace nas
