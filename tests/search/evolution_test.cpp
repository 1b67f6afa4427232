// SPDX-License-Identifier: Apache-2.0
#include "nas/search/evolution.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "search_host_test.h"

namespace nas {
namespace {

using test::Space;

// A fitness with a value for every op and one for pairs of neighbours.
class Landscape {
 public:
  Landscape(const SearchSpace& space, CounterRng& rng) : value_(test::RandomAlphas(space, rng, 1)) {}
  double operator()(const Choice& choice) const {
    double sum = 0;
    for (std::size_t e = 0; e < choice.size(); ++e) {
      sum += value_[e][choice[e]];
      if (e > 0) sum += 0.3 * std::sin(choice[e] * 2.0 + choice[e - 1]);
    }
    return sum;
  }

 private:
  Matrix value_;
};

EvolutionOptions Small() {
  EvolutionOptions options;
  options.population = 40;
  return options;
}

TEST_CASE("Proposals meet the budget and never repeat", "[evolution]") {
  CounterRng rng(1);
  const SearchSpace space = Space("proxyless-mobile");
  const CostTable table = MacsCostTable(space);
  const double budget = test::ShareOfRange(table, 0.1);
  const Landscape fitness(space, rng);
  EvolutionProposer proposer(table, budget, Small(), 7);
  std::set<Choice> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto choice = proposer.Ask();
    REQUIRE(choice);
    REQUIRE(table.Cost(*choice) <= budget);
    REQUIRE(seen.insert(*choice).second);
    proposer.Tell(*choice, fitness(*choice));
  }
  CHECK(proposer.known().size() == 1000);
  CHECK(proposer.generation() > 20);
}

TEST_CASE("Evolution beats random search with as many judgements", "[evolution]") {
  CounterRng rng(2);
  const SearchSpace space = Space("proxyless-mobile");
  const CostTable table = MacsCostTable(space);
  const double budget = test::ShareOfRange(table, 0.4);
  const FeasibleSampler sampler(table, budget);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Landscape fitness(space, rng);
    EvolutionProposer proposer(table, budget, Small(), seed);
    double random_best = -INFINITY;
    for (int i = 0; i < 500; ++i) {
      const Choice choice = *proposer.Ask();
      proposer.Tell(choice, fitness(choice));
      random_best = std::max(random_best, fitness(sampler.Sample(rng)));
    }
    const Choice best = *proposer.Best();
    CHECK(proposer.known().at(best) == fitness(best));
    CHECK(fitness(best) > random_best + 1);
  }
}

TEST_CASE("The same seed and answers give the same proposals, also after a restart", "[evolution]") {
  CounterRng rng(3);
  const SearchSpace space = Space("tiny");
  const CostTable table = MacsCostTable(space);
  const double budget = test::ShareOfRange(table, 0.5);
  const Landscape fitness(space, rng);
  EvolutionProposer first(table, budget, Small(), 5), second(table, budget, Small(), 5),
      other(table, budget, Small(), 6);
  bool differs = false;
  for (int i = 0; i < 130; ++i) {
    const Choice choice = *first.Ask();
    CHECK(*second.Ask() == choice);
    const Choice elsewhere = *other.Ask();
    differs = differs || elsewhere != choice;
    first.Tell(choice, fitness(choice));
    second.Tell(choice, fitness(choice));
    other.Tell(elsewhere, fitness(elsewhere));
  }
  CHECK(differs);

  const Choice out = *first.Ask();  // not told before the stop
  EvolutionProposer restored(table, budget, Small(), 5);
  restored.LoadState(Json::parse(first.State().dump()));
  CHECK(*restored.Ask() == out);
  first.Tell(out, fitness(out));
  restored.Tell(out, fitness(out));
  for (int i = 0; i < 60; ++i) {
    const Choice choice = *first.Ask();
    REQUIRE(*restored.Ask() == choice);
    first.Tell(choice, fitness(choice));
    restored.Tell(choice, fitness(choice));
  }
  CHECK_THROWS_AS(restored.LoadState(Json::object()), Error);
}

TEST_CASE("A small feasible set is searched to its end", "[evolution]") {
  CounterRng rng(4);
  const SearchSpace space = Space("macro-cifar");
  const CostTable table = MacsCostTable(space);
  std::vector<double> costs;
  test::ForEachChoice(table, [&](const Choice& choice) { costs.push_back(table.Cost(choice)); });
  std::sort(costs.begin(), costs.end());
  const double budget = costs[99];
  const auto feasible = std::count_if(costs.begin(), costs.end(), [&](double cost) { return cost <= budget; });
  const Landscape fitness(space, rng);
  double greatest = -INFINITY;
  test::ForEachChoice(table, [&](const Choice& choice) {
    if (table.Cost(choice) <= budget) greatest = std::max(greatest, fitness(choice));
  });
  EvolutionProposer proposer(table, budget, Small(), 1);
  std::int64_t asked = 0;
  while (const auto choice = proposer.Ask()) {
    proposer.Tell(*choice, fitness(*choice));
    REQUIRE(++asked <= feasible);
  }
  CHECK(asked == feasible);
  CHECK(fitness(*proposer.Best()) == greatest);
}

TEST_CASE("Answers that nobody asked for are refused, and a generation waits for its answers", "[evolution]") {
  const SearchSpace space = Space("tiny");
  const CostTable table = MacsCostTable(space);
  EvolutionProposer proposer(table, std::nullopt, Small(), 1);
  CHECK_FALSE(proposer.Best());
  std::vector<Choice> out;
  for (int i = 0; i < 40; ++i) out.push_back(*proposer.Ask());
  CHECK_THROWS_AS(proposer.Ask(), Error);
  for (const Choice& choice : out) proposer.Tell(choice, std::nan(""));
  CHECK_THROWS_AS(proposer.Tell(out[0], 1), Error);
  CHECK(proposer.generation() == 1);
  const Choice next = *proposer.Ask();
  proposer.Tell(next, -1e6);  // anything beats a diverged one
  CHECK(*proposer.Best() == next);
}

TEST_CASE("Options of evolution are checked", "[evolution]") {
  const CostTable table = MacsCostTable(Space("tiny"));
  EvolutionOptions options;
  options.mutation_share = 0.9;
  CHECK_THROWS_WITH(EvolutionProposer(table, std::nullopt, options, 1), Catch::Contains("mutation_share 0.9"));
  options = {};
  options.population = 1;
  CHECK_THROWS_WITH(EvolutionProposer(table, std::nullopt, options, 1), Catch::Contains("population 1"));
}

}  // namespace
}  // namespace nas
