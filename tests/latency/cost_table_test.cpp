// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/cost_table.h"

#include <cmath>

#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/latency/compiled_table.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

using Matrix = std::vector<std::vector<double>>;

CostTable SmallTable(bool launch_bound) {
  CostTable table;
  table.target = "made-up";
  table.fixed = 1.5;
  table.cost = {{1, 3, 0}, {2, 0.5}, {4, 1, 2, 0}};
  table.a = 1.1;
  table.b = launch_bound ? 0 : 0.7;
  table.launch_bound = launch_bound;
  if (launch_bound) {
    // The cheapest op of an edge is not the one with the fewest launches.
    table.launches = {{3, 2, 9}, {1, 7}, {3, 8, 3, 5}};
    table.fixed_launches = 4;
    table.c0 = 0.4;
    table.c1 = 0.3;
  }
  return table;
}

std::vector<Choice> AllChoices(const CostTable& table) {
  std::vector<Choice> all = {{}};
  for (const auto& edge : table.cost) {
    std::vector<Choice> longer;
    for (const auto& choice : all) {
      for (size_t o = 0; o < edge.size(); ++o) {
        longer.push_back(choice);
        longer.back().push_back(static_cast<int>(o));
      }
    }
    all = longer;
  }
  return all;
}

Matrix OneHot(const CostTable& table, const Choice& choice) {
  Matrix p;
  for (size_t e = 0; e < table.cost.size(); ++e) {
    p.emplace_back(table.cost[e].size(), 0.0);
    p[e][choice[e]] = 1;
  }
  return p;
}

}  // namespace

TEST_CASE("the expected total at one-hot probabilities is the cost of the choice") {
  const CostTable table = SmallTable(GENERATE(false, true));
  for (const auto& choice : AllChoices(table)) {
    CHECK(table.Expected(OneHot(table, choice)) == Approx(table.Cost(choice)).epsilon(1e-12));
  }
}

TEST_CASE("least and largest totals are those of brute force") {
  const CostTable table = SmallTable(GENERATE(false, true));
  double least = 1e9, most = 0;
  for (const auto& choice : AllChoices(table)) {
    least = std::min(least, table.Cost(choice));
    most = std::max(most, table.Cost(choice));
  }
  CHECK(table.MinCost() == Approx(least).epsilon(1e-12));
  CHECK(table.MaxCost() == Approx(most).epsilon(1e-12));
}

TEST_CASE("the gradient of the expected total equals central differences") {
  const CostTable table = SmallTable(GENERATE(false, true));
  CounterRng rng(4);
  Matrix p = table.cost;
  for (auto& edge : p) {
    double sum = 0;
    for (double& value : edge) sum += value = rng.Uniform();
    for (double& value : edge) value /= sum;
  }
  const Matrix gradient = table.ExpectedGradient(p);
  for (size_t e = 0; e < p.size(); ++e) {
    for (size_t o = 0; o < p[e].size(); ++o) {
      Matrix high = p, low = p;
      high[e][o] += 1e-5;
      low[e][o] -= 1e-5;
      const double difference = (table.Expected(high) - table.Expected(low)) / 2e-5;
      CHECK(gradient[e][o] == Approx(difference).epsilon(1e-6).margin(1e-9));
    }
  }
}

TEST_CASE("the launch-bound total follows the larger of its two parts") {
  CostTable table = SmallTable(true);
  table.c0 = 100;
  CHECK(table.Total(1, 1) == Approx(100.3).epsilon(1e-9));
  table.c0 = table.c1 = 0;
  CHECK(table.Total(2, 50) == Approx(2.2).epsilon(1e-12));
}

TEST_CASE("choices that do not fit the table are refused") {
  const CostTable table = SmallTable(false);
  CHECK_THROWS_AS(table.Cost(Choice{0, 0}), Error);
  CHECK_THROWS_AS(table.Cost(Choice{0, 2, 0}), Error);
  CHECK_THROWS_AS(table.Expected({{1, 0, 0}}), Error);
}

TEST_CASE("the compiled table gives the totals of the cost table, and NaN for what is no op") {
  const CostTable table = SmallTable(GENERATE(false, true));
  const CompiledTable compiled(table);
  std::vector<std::uint8_t> codes;
  std::vector<double> expected;
  for (const auto& choice : AllChoices(table)) {
    for (int op : choice) codes.push_back(static_cast<std::uint8_t>(op));
    expected.push_back(table.Cost(choice));
  }
  std::vector<double> totals(expected.size());
  compiled.Predict(codes, totals);
  for (size_t i = 0; i < totals.size(); ++i) CHECK(totals[i] == Approx(expected[i]).epsilon(1e-6));
  CHECK(std::isnan(compiled.Predict(std::vector<std::uint8_t>{0, 2, 0})));
  CHECK_THROWS_AS(compiled.Predict(std::vector<std::uint8_t>{0, 1}), Error);
}

TEST_CASE("MACs and params of a space as cost tables are exact") {
  const SearchSpace space = SearchSpace::Load("proxyless-mobile", {}, {NAS_SOURCE_DIR "/search_spaces"});
  const CostTable macs = MacsCostTable(space);
  const CostTable params = ParamsCostTable(space);
  CHECK(macs.MinCost() == 102528896);
  CHECK(macs.MaxCost() == 606590720);
  CHECK(params.MinCost() == 2154984);
  CHECK(params.MaxCost() == 5103336);
  CounterRng rng(9);
  for (int i = 0; i < 5; ++i) {
    const Choice choice = space.Sample(rng);
    CHECK(macs.Cost(choice) == static_cast<double>(CountMacs(space.Build(choice)).value));
    CHECK(params.Cost(choice) == static_cast<double>(CountParams(space.Build(choice))));
  }
}
