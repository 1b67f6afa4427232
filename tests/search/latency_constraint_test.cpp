// SPDX-License-Identifier: Apache-2.0
#include "nas/search/latency_constraint.h"

#include <cmath>
#include <functional>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/search/schedule.h"
#include "search_host_test.h"

namespace nas {
namespace {

using test::RandomAlphas;
using test::ShareOfRange;
using test::Space;

Matrix Zeros(Matrix like) {
  for (auto& row : like) row.assign(row.size(), 0);
  return like;
}

LatencyConstraint WithLambda(const CostTable& table, double budget, double lambda) {
  LatencyConstraint constraint(table, budget, LossForm::kDual, 1000);
  constraint.LoadState(Json{{"lambda", lambda}});
  return constraint;
}

// `gradient` against central differences of `loss` at `alpha`.
void CheckSlope(const Matrix& alpha, const Matrix& gradient, const std::function<double(const ArchParameters&)>& loss) {
  for (std::size_t e = 0; e < alpha.size(); ++e) {
    for (std::size_t i = 0; i < alpha[e].size(); ++i) {
      Matrix up = alpha, down = alpha;
      up[e][i] += 1e-5;
      down[e][i] -= 1e-5;
      const double difference = (loss(ArchParameters(up)) - loss(ArchParameters(down))) / 2e-5;
      CHECK(gradient[e][i] == Approx(difference).epsilon(1e-5).margin(1e-8));
    }
  }
}

TEST_CASE("Expected cost and its slope match the closed form and differences", "[constraint][oracle4]") {
  CounterRng rng(1);
  const SearchSpace space = Space("tiny");
  const bool launch_bound = GENERATE(false, true);
  const CostTable table = launch_bound ? test::RandomLaunchBound(space, rng) : test::RandomMillis(space, rng);
  const Matrix alpha = RandomAlphas(space, rng, 0.8);
  const ArchParameters alphas(alpha);
  // Well above E: the proportional term is off and λ alone remains.
  const LatencyConstraint probe(table, ShareOfRange(table, 0.5), LossForm::kDual, 1000);
  const double expected = probe.Expected(alphas);
  const LatencyConstraint constraint = WithLambda(table, expected, 2.5);

  const Matrix p = alphas.Probabilities();
  if (!launch_bound) {
    double sum = table.fixed;
    for (std::size_t e = 0; e < p.size(); ++e) {
      for (std::size_t i = 0; i < p[e].size(); ++i) sum += p[e][i] * table.cost[e][i];
    }
    CHECK(expected == Approx(table.a * sum + table.b).epsilon(1e-12));
  }
  Matrix gradient = Zeros(alpha);
  constraint.AddGradient(alphas, nullptr, 1.0, &gradient);
  if (!launch_bound) {
    for (std::size_t e = 0; e < p.size(); ++e) {
      double mean = 0;
      for (std::size_t i = 0; i < p[e].size(); ++i) mean += p[e][i] * table.cost[e][i];
      for (std::size_t i = 0; i < p[e].size(); ++i) {
        CHECK(gradient[e][i] == Approx(2.5 / expected * table.a * p[e][i] * (table.cost[e][i] - mean)).epsilon(1e-9));
      }
    }
  }
  CheckSlope(alpha, gradient, [&](const ArchParameters& at) { return 2.5 * (constraint.Expected(at) / expected - 1); });
}

TEST_CASE("The proportional term is the slope of a penalty outside its dead zone", "[constraint]") {
  CounterRng rng(2);
  const SearchSpace space = Space("tiny");
  const CostTable table = test::RandomMillis(space, rng);
  const Matrix alpha = RandomAlphas(space, rng, 0.8);
  const ArchParameters alphas(alpha);
  const double ratio = GENERATE(0.96, 0.997, 1.003, 1.2);  // E / T
  const double budget = WithLambda(table, 1, 0).Expected(alphas) / ratio;
  const LatencyConstraint constraint = WithLambda(table, budget, 3);
  Matrix gradient = Zeros(alpha);
  constraint.AddGradient(alphas, nullptr, 1.0, &gradient);
  CheckSlope(alpha, gradient, [&](const ArchParameters& at) {
    const double error = constraint.Expected(at) / budget - 1;
    return 3 * error + 20 * std::pow(std::max(0.0, std::abs(error) - 0.0075), 2);
  });
}

TEST_CASE("Far below the budget nothing pulls", "[constraint]") {
  CounterRng rng(3);
  const SearchSpace space = Space("tiny");
  const CostTable table = test::RandomMillis(space, rng);
  const ArchParameters alphas(RandomAlphas(space, rng, 0.8));
  const LatencyConstraint constraint = WithLambda(table, 2 * table.MaxCost(), 1);
  Matrix gradient = Zeros(alphas.alpha());
  constraint.AddGradient(alphas, nullptr, 1.0, &gradient);
  CHECK(gradient == Zeros(gradient));
}

TEST_CASE("On pairs the slope is that of q, and keeps the rest", "[constraint]") {
  CounterRng rng(4);
  const SearchSpace space = Space("macro-cifar");
  const CostTable table = test::RandomMillis(space, rng);
  const ArchParameters alphas(RandomAlphas(space, rng, 0.8));
  const auto sample = PathSampler(1).DrawPairs(alphas.Probabilities(), kArchStream, 0);
  const LatencyConstraint probe(table, 1.0, LossForm::kDual, 10);
  const double budget = probe.Expected(alphas);
  Matrix gradient = Zeros(alphas.alpha());
  WithLambda(table, budget, 2).AddGradient(alphas, &sample, 1.0, &gradient);
  for (std::size_t e = 0; e < gradient.size(); ++e) {
    const auto [i, j] = sample[e];
    const double wi = std::exp(alphas.alpha()[e][i]), wj = std::exp(alphas.alpha()[e][j]);
    const double mean = (wi * table.cost[e][i] + wj * table.cost[e][j]) / (wi + wj);
    const double factor = 2 * table.a / budget;
    CHECK(gradient[e][i] == Approx(factor * wi / (wi + wj) * (table.cost[e][i] - mean)).epsilon(1e-9).margin(1e-15));
    CHECK(gradient[e][j] == Approx(factor * wj / (wi + wj) * (table.cost[e][j] - mean)).epsilon(1e-9).margin(1e-15));
    CHECK(gradient[e][3 - i - j] == 0);
  }
}

TEST_CASE("The released losses have their slopes", "[constraint]") {
  CounterRng rng(5);
  const SearchSpace space = Space("tiny");
  CostTable table = test::RandomMillis(space, rng);
  table.fixed = 20;
  const Matrix alpha = RandomAlphas(space, rng, 0.8);
  const ArchParameters alphas(alpha);
  const double budget = ShareOfRange(table, 0.3);
  const Matrix ce_slope = RandomAlphas(space, rng, 1);
  const double ce = 2.1;
  // A cross-entropy that is linear around these alphas.
  const auto ce_at = [&](const ArchParameters& at) {
    double value = ce;
    for (std::size_t e = 0; e < alpha.size(); ++e) {
      for (std::size_t i = 0; i < alpha[e].size(); ++i) value += ce_slope[e][i] * (at.alpha()[e][i] - alpha[e][i]);
    }
    return value;
  };
  SECTION("mul-log") {
    const LatencyConstraint constraint(table, budget, LossForm::kMulLog, 1000);
    Matrix gradient = ce_slope;
    constraint.AddGradient(alphas, nullptr, ce, &gradient);
    CheckSlope(alpha, gradient, [&](const ArchParameters& at) {
      return 0.2 * ce_at(at) * std::pow(std::log(constraint.Expected(at)) / std::log(budget), 0.3);
    });
  }
  SECTION("add-linear") {
    LatencyConstraint constraint(table, budget, LossForm::kAddLinear, 1000);
    constraint.Update(10 * budget);
    CHECK(constraint.lambda() == 0.1);
    Matrix gradient = ce_slope;
    constraint.AddGradient(alphas, nullptr, ce, &gradient);
    CheckSlope(alpha, gradient,
               [&](const ArchParameters& at) { return ce_at(at) + 0.1 * (constraint.Expected(at) - budget) / budget; });
  }
}

TEST_CASE("mul-log is refused where a logarithm could be zero", "[constraint]") {
  CounterRng rng(6);
  CostTable table = test::RandomMillis(Space("tiny"), rng);
  table.fixed = 5;
  const auto refused = [&](double budget) {
    try {
      LatencyConstraint(table, budget, LossForm::kMulLog, 10);
    } catch (const Error& error) {
      return error.kind() == ErrorKind::kUsage && std::string(error.what()).find("mul-log") != std::string::npos;
    }
    return false;
  };
  REQUIRE(table.MinCost() > 1);
  CHECK_FALSE(refused(6));
  CHECK(refused(1));
  CHECK(refused(0.9));
  table.fixed = 0;
  table.a = 0.01;
  table.b = 0.5;
  REQUIRE(table.MinCost() <= 1);
  CHECK(refused(6));
  CHECK_NOTHROW(LatencyConstraint(table, 0.9, LossForm::kDual, 10));
  CHECK_NOTHROW(LatencyConstraint(table, std::nullopt, LossForm::kMulLog, 10));
}

TEST_CASE("Without a budget nothing pulls and lambda stays 0", "[constraint]") {
  CounterRng rng(7);
  const SearchSpace space = Space("tiny");
  const LossForm form = GENERATE(LossForm::kDual, LossForm::kMulLog, LossForm::kAddLinear);
  LatencyConstraint constraint(test::RandomMillis(space, rng), std::nullopt, form, 100);
  const ArchParameters alphas(RandomAlphas(space, rng, 1));
  const Matrix before = RandomAlphas(space, rng, 1);
  Matrix gradient = before;
  constraint.AddGradient(alphas, nullptr, 2, &gradient);
  CHECK(gradient == before);
  constraint.Update(1e9);
  CHECK(constraint.lambda() == 0);
}

TEST_CASE("Dual ascent rises above the budget, falls below it, and never under 0", "[constraint]") {
  CounterRng rng(8);
  LatencyConstraint constraint(test::RandomMillis(Space("tiny"), rng), 2.0, LossForm::kDual, 1000);
  constraint.Update(2.2);
  CHECK(constraint.lambda() == Approx(200.0 / 1000 * 0.1));
  constraint.Update(20);  // counts as 20 %
  CHECK(constraint.lambda() == Approx(0.2 * 0.1 + 0.2 * 0.2));
  const Json state = Json::parse(constraint.State().dump());
  LatencyConstraint other(constraint.table(), 2.0, LossForm::kDual, 1000);
  other.LoadState(state);
  CHECK(other.lambda() == constraint.lambda());
  CHECK_THROWS_AS(other.LoadState(Json::array()), Error);
  for (int i = 0; i < 5; ++i) constraint.Update(0);
  CHECK(constraint.lambda() == 0);
}

TEST_CASE("With a constant loss every Zero gains", "[constraint][oracle10]") {
  CounterRng rng(9);
  const SearchSpace space = Space("tiny");
  const CostTable table = MacsCostTable(space);
  ArchParameters alphas(RandomAlphas(space, rng, 0.5));
  const LatencyConstraint constraint = WithLambda(table, 1e9, 1e6);
  Matrix gradient = Zeros(alphas.alpha());
  constraint.AddGradient(alphas, nullptr, 1, &gradient);
  const Matrix before = alphas.Probabilities();
  alphas.AdamStep(gradient, 0.01);
  for (std::size_t e = 0; e < before.size(); ++e) {
    const int zero = space.edges()[e].skip_op;
    if (zero >= 0) CHECK(alphas.Probabilities()[e][zero] > before[e][zero]);
  }
}

// The synthetic search: cross-entropy replaced by Σ p_i·(weight·ln p_i − u_i), u = 0.3·N(0, 1) + 0.5·L_i / max L.
struct Synthetic {
  std::int64_t updates = 6000;
  double lr = 0;
  double entropy_weight = 0;
  double noise = 0;  // of the gate gradients
  bool pairs = false;
};

struct Course {
  double lambda = 0;
  double largest = 0;  // greatest |E/T − 1| in the last fifth
  double highest = 0;  // greatest E/T − 1 in the last fifth
  double last = 0;     // E/T − 1 at the end
};

Course Follow(const SearchSpace& space, double share, const Synthetic& search, std::uint64_t seed) {
  const CostTable table = MacsCostTable(space);
  const double budget = ShareOfRange(table, share);
  CounterRng rng(seed, /*stream=*/5);
  double largest_cost = 0;
  for (const auto& row : table.cost) largest_cost = std::max(largest_cost, *std::max_element(row.begin(), row.end()));
  Matrix u = RandomAlphas(space, rng, 0.3);
  for (std::size_t e = 0; e < u.size(); ++e) {
    for (std::size_t i = 0; i < u[e].size(); ++i) u[e][i] += 0.5 * table.cost[e][i] / largest_cost;
  }
  ArchParameters alphas(space, seed);
  LatencyConstraint constraint(table, budget, LossForm::kDual, search.updates);
  const PathSampler sampler(seed);
  Course course;
  course.highest = -1;
  for (std::int64_t i = 0; i < search.updates; ++i) {
    const Matrix log_p = alphas.LogProbabilities();
    Matrix gates = u;
    for (std::size_t e = 0; e < u.size(); ++e) {
      for (std::size_t o = 0; o < u[e].size(); ++o) {
        gates[e][o] = search.entropy_weight * (log_p[e][o] + 1) - u[e][o];
        if (search.noise > 0) gates[e][o] += search.noise * rng.Normal();
      }
    }
    if (search.pairs) {
      const auto sample = sampler.DrawPairs(alphas.Probabilities(), kArchStream, static_cast<std::uint64_t>(i));
      Matrix gradient = alphas.GateToAlphaOnPairs(gates, sample);
      constraint.AddGradient(alphas, &sample, 1, &gradient);
      alphas.AdamStepOnPairs(gradient, sample, search.lr);
    } else {
      Matrix gradient = alphas.GateToAlpha(gates);
      constraint.AddGradient(alphas, nullptr, 1, &gradient);
      alphas.AdamStep(gradient, search.lr);
    }
    const double expected = constraint.Expected(alphas);
    constraint.Update(expected);
    course.last = expected / budget - 1;
    if (i >= search.updates - search.updates / 5) {
      course.largest = std::max(course.largest, std::abs(course.last));
      course.highest = std::max(course.highest, course.last);
    }
  }
  course.lambda = constraint.lambda();
  return course;
}

TEST_CASE("Dual ascent holds the budget in the synthetic search", "[constraint][oracle12]") {
  const std::string name = GENERATE("tiny", "macro-cifar");
  const SearchSpace space = Space(name);
  const double share = GENERATE(0.2, 0.4, 0.7);
  Synthetic search;
  search.lr = kPaperAlphaTravel / static_cast<double>(search.updates);
  search.entropy_weight = GENERATE(0.1, 0.0);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    CAPTURE(name, share, search.entropy_weight, seed);
    const Course course = Follow(space, share, search, seed);
    if (course.lambda > 0) {
      CHECK(course.largest < (search.entropy_weight > 0 ? 0.01 : 0.05));
    } else {
      CHECK(course.highest < 0);
    }
  }
}

TEST_CASE("The budget is held in short and noisy searches too, whole or on pairs", "[constraint]") {
  const std::string name = GENERATE("tiny", "macro-cifar");
  const SearchSpace space = Space(name);
  const double share = GENERATE(0.2, 0.4, 0.7);
  Synthetic search;
  search.updates = GENERATE(568, 3000, 15488);
  search.lr = AlphaLr(search.updates);
  search.noise = 0.3;
  search.pairs = GENERATE(false, true);
  CAPTURE(name, share, search.updates, search.pairs);
  const Course course = Follow(space, share, search, /*seed=*/1);
  if (course.lambda > 0) {
    CHECK(course.largest < 0.05);
  } else {
    CHECK(course.highest < 0.05);
  }
}

}  // namespace
}  // namespace nas
