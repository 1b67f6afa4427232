// SPDX-License-Identifier: Apache-2.0
#include "nas/search/feasible_sampler.h"

#include <cmath>
#include <map>

#include "nas/core/error.h"
#include "search_host_test.h"

namespace nas {
namespace {

using test::Space;

TEST_CASE("Samples are uniform over all networks that meet the budget", "[sampler]") {
  const bool launch_bound = GENERATE(false, true);
  CounterRng rng(1);
  const SearchSpace space = Space("macro-cifar");
  const CostTable table = launch_bound ? test::RandomLaunchBound(space, rng) : test::RandomMillis(space, rng);
  // The budget of the 200th cheapest network.
  std::vector<double> costs;
  test::ForEachChoice(table, [&](const Choice& choice) { costs.push_back(table.Cost(choice)); });
  std::sort(costs.begin(), costs.end());
  const double budget = costs[199];
  const auto feasible = std::count_if(costs.begin(), costs.end(), [&](double cost) { return cost <= budget; });

  const FeasibleSampler sampler(table, budget);
  CHECK(sampler.count() == Approx(static_cast<double>(feasible)).epsilon(0.05));
  std::map<Choice, int> seen;
  const int draws = 100 * static_cast<int>(feasible);
  for (int i = 0; i < draws; ++i) {
    const Choice choice = sampler.Sample(rng);
    REQUIRE(table.Cost(choice) <= budget);
    ++seen[choice];
  }
  CHECK(static_cast<std::int64_t>(seen.size()) == feasible);
  double chi_square = 0;
  for (const auto& [choice, count] : seen) chi_square += std::pow(count - 100, 2) / 100.0;
  const double freedom = static_cast<double>(feasible - 1);
  CHECK(std::abs(chi_square - freedom) < 4 * std::sqrt(2 * freedom));
}

TEST_CASE("Without a budget every op is equally likely", "[sampler]") {
  CounterRng rng(2);
  const SearchSpace space = Space("macro-cifar");
  const FeasibleSampler sampler(MacsCostTable(space), std::nullopt);
  CHECK(sampler.count() == 6561);
  std::vector<int> count(3, 0);
  for (int i = 0; i < 3000; ++i) {
    for (const int op : sampler.Sample(rng)) ++count[op];
  }
  for (const int c : count) CHECK(std::abs(c - 8000) < 4 * std::sqrt(24000 * 2.0 / 9));
}

TEST_CASE("Rare networks of a large space are found at once", "[sampler]") {
  CounterRng rng(3);
  const SearchSpace space = Space("proxyless-mobile");
  const CostTable table = MacsCostTable(space);
  const double budget = test::ShareOfRange(table, 0.03);
  const FeasibleSampler sampler(table, budget);
  CHECK(sampler.count() < 1e-6 * std::pow(10, space.log10_architectures()));
  std::map<Choice, int> seen;
  for (int i = 0; i < 500; ++i) {
    const Choice choice = sampler.Sample(rng);
    REQUIRE(table.Cost(choice) <= budget);
    ++seen[choice];
  }
  CHECK(seen.size() > 450);
  const FeasibleSampler whole(table, std::nullopt);
  CHECK(std::log10(whole.count()) == Approx(space.log10_architectures()).epsilon(1e-9));
}

TEST_CASE("Masked candidates are left out", "[sampler]") {
  CounterRng rng(4);
  const SearchSpace space = Space("macro-cifar");
  std::vector<std::vector<bool>> gone(8, {false, false, true});
  gone[0] = {true, true, false};
  const FeasibleSampler sampler(MacsCostTable(space), std::nullopt, gone);
  CHECK(sampler.count() == 128);
  for (int i = 0; i < 100; ++i) {
    const Choice choice = sampler.Sample(rng);
    for (std::size_t e = 0; e < choice.size(); ++e) CHECK_FALSE(gone[e][choice[e]]);
  }
}

TEST_CASE("A budget that nothing meets is named", "[sampler]") {
  const CostTable table = MacsCostTable(Space("tiny"));
  CHECK(FeasibleSampler(table, table.MinCost()).count() == 1);
  try {
    FeasibleSampler(table, table.MinCost() - 1);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInfeasible);
    CHECK(ExitCode(error.kind()) == 4);
    CHECK(std::string(error.what()).find("macs") != std::string::npos);
  }
}

}  // namespace
}  // namespace nas
