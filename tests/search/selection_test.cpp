// SPDX-License-Identifier: Apache-2.0
#include "nas/search/selection.h"

#include <cmath>

#include "nas/core/text.h"
#include "nas/search/feasible_sampler.h"
#include "search_host_test.h"

namespace nas {
namespace {

using test::kGone;
using test::Space;

double LogProb(const Matrix& log_p, const Choice& choice) {
  double sum = 0;
  for (std::size_t e = 0; e < choice.size(); ++e) sum += log_p[e][choice[e]];
  return sum;
}

// The rule of N7, word for word: highest probability within the budget; ties: lower cost, then lower op indices.
std::optional<Choice> ByEnumeration(const Matrix& log_p, const CostTable& table, double budget) {
  std::optional<Choice> best;
  double best_log = 0, best_cost = 0;
  test::ForEachChoice(table, [&](const Choice& choice) {
    const double log_prob = LogProb(log_p, choice);
    if (log_prob == kGone) return;
    const double cost = table.Cost(choice);
    if (!(cost <= budget)) return;
    const double gain = best ? log_prob - best_log : 1;
    if (gain < -1e-7 || (gain <= 1e-7 && cost >= best_cost * (1 - 1e-12))) return;
    best = choice;
    best_log = log_prob;
    best_cost = cost;
  });
  return best;
}

void CheckAgainstEnumeration(const Matrix& log_p, const CostTable& table, double budget) {
  CAPTURE(budget, table.MinCost(), table.MaxCost());
  const auto expected = ByEnumeration(log_p, table, budget);
  const auto selected = SelectMostProbable(log_p, table, budget);
  REQUIRE(selected.has_value() == expected.has_value());
  if (!expected) return;
  CHECK(selected->choice == *expected);
  CHECK(selected->cost <= budget);
  CHECK(selected->cost == table.Cost(selected->choice));
  CHECK(selected->log_prob == Approx(LogProb(log_p, *expected)));
}

// Masks some candidates, never the last of an edge.
void Mask(Matrix* log_p, CounterRng& rng) {
  for (auto& row : *log_p) {
    for (double& value : row) {
      const auto left = std::count_if(row.begin(), row.end(), [](double v) { return v != kGone; });
      if (left > 1 && rng.Uniform() < 0.3) value = kGone;
    }
  }
}

void CheckSpace(const std::string& name, bool launch_bound, int cases) {
  const SearchSpace space = Space(name);
  CounterRng rng(launch_bound ? 100 : 200);
  for (int i = 0; i < cases; ++i) {
    CAPTURE(name, launch_bound, i);
    const CostTable table = launch_bound ? test::RandomLaunchBound(space, rng) : test::RandomMillis(space, rng);
    Matrix log_p = ArchParameters(test::RandomAlphas(space, rng, i % 3 == 0 ? 6 : 1)).LogProbabilities();
    if (i % 4 == 0) Mask(&log_p, rng);
    CheckAgainstEnumeration(log_p, table, test::ShareOfRange(table, 1.2 * rng.Uniform() - 0.1));
  }
}

TEST_CASE("Selection equals enumeration on random tables", "[selection][oracle8]") {
  CheckSpace("tiny", false, 100);
  CheckSpace("macro-cifar", false, 150);
}

TEST_CASE("Selection equals enumeration on launch-bound tables", "[selection][oracle8]") {
  CheckSpace("tiny", true, 60);
  CheckSpace("macro-cifar", true, 100);
}

TEST_CASE("Selection equals enumeration on MACs and params", "[selection][oracle8]") {
  CounterRng rng(3);
  for (const std::string name : {"tiny", "macro-cifar"}) {
    const SearchSpace space = Space(name);
    for (int i = 0; i < 40; ++i) {
      CAPTURE(name, i);
      const CostTable table = i % 2 == 0 ? MacsCostTable(space) : ParamsCostTable(space);
      const Matrix log_p = ArchParameters(test::RandomAlphas(space, rng, 2)).LogProbabilities();
      const Choice some = space.Sample(rng);
      // A budget that is exactly the cost of some network, or one below it.
      CheckAgainstEnumeration(log_p, table, table.Cost(some) - i / 2 % 2);
    }
  }
}

TEST_CASE("Ties go to the lower cost, then to lower op indices", "[selection][oracle8]") {
  CounterRng rng(4);
  for (const std::string name : {"tiny", "macro-cifar"}) {
    const SearchSpace space = Space(name);
    for (int i = 0; i < 80; ++i) {
      CAPTURE(name, i);
      CostTable table = i % 2 == 0 ? test::RandomMillis(space, rng) : test::RandomLaunchBound(space, rng);
      table.a = 1;
      table.fixed = 1;
      table.p = 2;  // at 8 the lesser part can vanish in rounding, and unequal networks tie
      Matrix log_p = table.cost;
      for (std::size_t e = 0; e < log_p.size(); ++e) {
        for (std::size_t o = 0; o < log_p[e].size(); ++o) {
          table.cost[e][o] = 0.25 * static_cast<double>(rng.Below(4));
          log_p[e][o] = i % 5 == 0 ? -1 : -0.5 * static_cast<double>(1 + rng.Below(3));
        }
      }
      if (!table.launch_bound) table.b = 0.5;
      CheckAgainstEnumeration(log_p, table, test::ShareOfRange(table, 0.1 * static_cast<double>(rng.Below(11))));
    }
  }
}

TEST_CASE("Edges of the reachable range", "[selection]") {
  CounterRng rng(5);
  const SearchSpace space = Space("proxyless-mobile");
  const CostTable table = MacsCostTable(space);
  const Matrix log_p = ArchParameters(test::RandomAlphas(space, rng, 3)).LogProbabilities();
  CHECK_FALSE(SelectMostProbable(log_p, table, table.MinCost() - 1));
  const auto least = SelectMostProbable(log_p, table, table.MinCost());
  REQUIRE(least);
  CHECK(least->cost == table.MinCost());
  const Selection argmax = SelectArgmax(log_p, table);
  for (const double budget : {argmax.cost, table.MaxCost(), 1e300, std::numeric_limits<double>::infinity()}) {
    const auto loose = SelectMostProbable(log_p, table, budget);
    REQUIRE(loose);
    CHECK(loose->choice == argmax.choice);
    CHECK(loose->log_prob == Approx(argmax.log_prob));
  }
  CHECK(SelectMostProbable(log_p, table, argmax.cost - 1)->choice != argmax.choice);
}

// Σ over edges of max (log p − price·cost) + price·budget bounds every feasible network from above.
double DualBound(const Matrix& log_p, const CostTable& table, double budget) {
  double bound = 0;
  for (double price = 1e-9; price < 1e-5; price *= 1.05) {
    double value = price * (budget - table.fixed);
    for (std::size_t e = 0; e < log_p.size(); ++e) {
      double best = kGone;
      for (std::size_t o = 0; o < log_p[e].size(); ++o) best = std::max(best, log_p[e][o] - price * table.cost[e][o]);
      value += best;
    }
    bound = price == 1e-9 ? value : std::min(bound, value);
  }
  return bound;
}

TEST_CASE("Few nodes on 21 edges where preference grows with cost", "[selection][oracle8]") {
  const SearchSpace space = Space("proxyless-mobile");
  CounterRng rng(6);
  std::int64_t most = 0;
  for (int i = 0; i < 60; ++i) {
    const bool launch_bound = i % 6 == 5;
    CostTable table = MacsCostTable(space);
    if (launch_bound) {
      table.c0 = 0.1 * table.MinCost();
      table.c1 = table.MaxCost() / 100;
      table.launch_bound = true;
      for (const Edge& edge : space.edges()) {
        auto& row = table.launches.emplace_back(edge.size(), 3);
        if (edge.skip_op >= 0) row[edge.skip_op] = 0;
      }
    }
    double largest = 0;
    for (const auto& row : table.cost) largest = std::max(largest, *std::max_element(row.begin(), row.end()));
    Matrix alpha = test::RandomAlphas(space, rng, i % 3 == 0 ? 0.001 : 0.3);
    const double slope = i % 2 == 0 ? 5 : 50;
    for (std::size_t e = 0; e < alpha.size(); ++e) {
      for (std::size_t o = 0; o < alpha[e].size(); ++o) alpha[e][o] += slope * table.cost[e][o] / largest;
    }
    const Matrix log_p = ArchParameters(alpha).LogProbabilities();
    const double budget = test::ShareOfRange(table, 0.02 + 0.95 * rng.Uniform());
    CAPTURE(i, launch_bound, budget);
    const auto selected = SelectMostProbable(log_p, table, budget);
    REQUIRE(selected);
    CHECK(selected->cost <= budget);
    CHECK(selected->nodes <= 100000);
    // Without any preference but the cost, countless networks lie within a hundredth of a nat of the best.
    CHECK(selected->gap <= (i % 3 == 0 ? 1e-2 : 0));
    most = std::max(most, selected->nodes);
    if (!launch_bound) {
      CHECK(selected->log_prob <= DualBound(log_p, table, budget) + 1e-9);
    }
    const FeasibleSampler sampler(table, budget);
    for (int s = 0; s < 200; ++s) CHECK(LogProb(log_p, sampler.Sample(rng)) <= selected->log_prob + 1e-9);
  }
  CHECK(most > 21);
}

TEST_CASE("Ties everywhere on 21 edges stay cheap", "[selection]") {
  const SearchSpace space = Space("proxyless-mobile");
  CostTable table = MacsCostTable(space);
  CounterRng rng(7);
  for (int i = 0; i < 10; ++i) {
    Matrix log_p = table.cost;
    for (auto& row : log_p) {
      for (double& value : row) value = i == 0 ? -1.5 : -0.5 * static_cast<double>(1 + rng.Below(3));
    }
    if (i >= 5) {
      for (auto& row : table.cost) {
        for (double& value : row) value = static_cast<double>(rng.Below(3));
      }
      table.fixed = 1;
    }
    const auto selected = SelectMostProbable(log_p, table, test::ShareOfRange(table, 0.35));
    REQUIRE(selected);
    CHECK(selected->nodes <= 100000);
    if (i == 0) CHECK(selected->cost == table.MinCost());  // all alike: the cheapest
  }
}

TEST_CASE("A budget above the one that was learned under is used, and never exceeded", "[selection]") {
  const SearchSpace space = Space("tiny");
  CounterRng rng(11);
  int priced = 0;
  for (int i = 0; i < 30; ++i) {
    const CostTable table = test::RandomMillis(space, rng);
    Matrix alpha = test::RandomAlphas(space, rng, 0.5);
    for (std::size_t e = 0; e < alpha.size(); ++e) {
      for (std::size_t o = 0; o < alpha[e].size(); ++o) alpha[e][o] -= 2 * table.cost[e][o];  // learned under pressure
    }
    const Matrix log_p = ArchParameters(alpha).LogProbabilities();
    const double budget = test::ShareOfRange(table, 0.5 + 0.4 * rng.Uniform());
    const auto plain = SelectMostProbable(log_p, table, budget);
    const auto used = SelectUsingBudget(log_p, table, budget, /*least_share=*/0.9);
    REQUIRE(plain);
    REQUIRE(used);
    CAPTURE(i, budget, plain->cost, used->cost);
    CHECK(used->cost <= budget);
    CHECK(used->cost >= 0.9 * budget);
    CHECK(used->log_prob == Approx(LogProb(log_p, used->choice)));
    CHECK(used->log_prob <= plain->log_prob + 1e-9);
    if (plain->cost >= 0.9 * budget) CHECK(used->choice == plain->choice);
    priced += plain->cost < 0.9 * budget;
  }
  CHECK(priced > 10);
  const CostTable table = test::RandomMillis(space, rng);
  const Matrix log_p = ArchParameters(test::RandomAlphas(space, rng, 0.5)).LogProbabilities();
  CHECK_FALSE(SelectUsingBudget(log_p, table, 0.9 * table.MinCost(), 0.9));
  // Where the space ends below the share, its most expensive network is as far as one can go.
  CHECK(SelectUsingBudget(log_p, table, 2 * table.MaxCost(), 0.9)->cost == Approx(table.MaxCost()));
}

TEST_CASE("Argmax takes the lowest index of equals", "[selection]") {
  CounterRng rng(8);
  const SearchSpace space = Space("macro-cifar");
  const CostTable table = test::RandomMillis(space, rng);
  const Matrix log_p(8, {-2, -1, -1});
  CHECK(SelectArgmax(log_p, table).choice == Choice(8, 1));
  CHECK(SelectArgmax(log_p, table).log_prob == -8);
}

}  // namespace
}  // namespace nas
