// SPDX-License-Identifier: Apache-2.0
#include "nas/search/pruning.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/search/selection.h"
#include "search_host_test.h"

namespace nas {
namespace {

using test::Space;

// Alphas with the given probabilities on edge 0 and uniform ones elsewhere.
ArchParameters OnFirstEdge(const SearchSpace& space, const std::vector<double>& p) {
  Matrix alpha;
  for (const Edge& edge : space.edges()) alpha.emplace_back(edge.size(), 0.0);
  for (std::size_t i = 0; i < p.size(); ++i) alpha[0][i] = std::log(p[i]);
  return ArchParameters(alpha);
}

std::vector<std::pair<int, int>> Names(const std::vector<PrunedOp>& ops) {
  std::vector<std::pair<int, int>> names;
  for (const PrunedOp& op : ops) names.emplace_back(op.edge, op.op);
  return names;
}

TEST_CASE("Threshold follows its schedule", "[pruning]") {
  const Pruner pruner(Space("proxyless-mobile"), 1);
  CHECK(pruner.Threshold(0) == 0);
  CHECK(pruner.Threshold(0.2999) == 0);
  CHECK(pruner.Threshold(0.3) == Approx(0.01));
  CHECK(pruner.Threshold(0.6) == Approx(0.01 * std::sqrt(10)));
  CHECK(pruner.Threshold(0.9) == Approx(0.1));
  CHECK(pruner.Threshold(1) == Approx(0.1));
  CHECK(pruner.Threshold(0.3) / 7 == Approx(0.0014).epsilon(0.03));
  CHECK(pruner.Threshold(0.9) / 7 == Approx(0.0143).epsilon(0.01));
}

TEST_CASE("An op goes after two successive checks below", "[pruning]") {
  const SearchSpace space = Space("macro-cifar");
  const CostTable table = MacsCostTable(space);
  const ArchParameters low = OnFirstEdge(space, {0.6, 0.399, 0.001});
  const ArchParameters high = OnFirstEdge(space, {0.6, 0.3, 0.1});
  const std::vector<PruneView> low_view{{&low, &table, std::nullopt}};
  const std::vector<PruneView> high_view{{&high, &table, std::nullopt}};
  Pruner pruner(space, 1);
  CHECK(pruner.Check(0.29, low_view).empty());
  CHECK(pruner.Check(0.5, low_view).empty());   // first
  CHECK(pruner.Check(0.5, high_view).empty());  // back above: starts anew
  CHECK(pruner.Check(0.5, low_view).empty());
  const auto removed = pruner.Check(0.5, low_view);
  REQUIRE(Names(removed) == std::vector<std::pair<int, int>>{{0, 2}});
  CHECK(removed[0].probability == Approx(0.001));
}

TEST_CASE("The memory of checks is part of the state", "[pruning]") {
  const SearchSpace space = Space("macro-cifar");
  const CostTable table = MacsCostTable(space);
  const ArchParameters low = OnFirstEdge(space, {0.6, 0.399, 0.001});
  const std::vector<PruneView> view{{&low, &table, std::nullopt}};
  Pruner pruner(space, 1);
  CHECK(pruner.Check(0.5, view).empty());
  Pruner restored(space, 1);
  restored.LoadState(Json::parse(pruner.State().dump()));
  CHECK(restored.Check(0.5, view).size() == 1);
  CHECK(Pruner(space, 1).Check(0.5, view).empty());
  Pruner other(Space("tiny"), 1);
  CHECK_THROWS_AS(other.LoadState(pruner.State()), Error);
}

TEST_CASE("An op stays while one target still wants it", "[pruning]") {
  const SearchSpace space = Space("macro-cifar");
  const CostTable table = MacsCostTable(space);
  const ArchParameters low = OnFirstEdge(space, {0.6, 0.399, 0.001});
  const ArchParameters high = OnFirstEdge(space, {0.6, 0.3, 0.1});
  Pruner pruner(space, 2);
  for (int i = 0; i < 4; ++i) {
    CHECK(pruner.Check(0.5, {{&low, &table, std::nullopt}, {&high, &table, std::nullopt}}).empty());
  }
  CHECK_THROWS_AS(pruner.Check(0.5, {{&low, &table, std::nullopt}}), Error);
}

TEST_CASE("Two ops stay on an edge before the end, one after", "[pruning]") {
  const SearchSpace space = Space("macro-cifar");
  const CostTable table = MacsCostTable(space);
  const ArchParameters sure = OnFirstEdge(space, {0.9997, 0.0001, 0.0002});
  const std::vector<PruneView> view{{&sure, &table, std::nullopt}};
  Pruner before(space, 1);
  before.Check(0.8, view);
  CHECK(Names(before.Check(0.89, view)) == std::vector<std::pair<int, int>>{{0, 1}});  // the least probable
  Pruner after(space, 1);
  after.Check(0.9, view);
  CHECK(Names(after.Check(0.95, view)) == std::vector<std::pair<int, int>>{{0, 1}, {0, 2}});
}

TEST_CASE("Ops of the constrained optimum stay, however improbable", "[pruning]") {
  const SearchSpace space = Space("macro-cifar");
  const CostTable table = MacsCostTable(space);
  Matrix alpha;
  for (std::size_t e = 0; e < space.edges().size(); ++e) alpha.push_back({-8, -9, 0});
  const ArchParameters alphas(alpha);
  // Only the cheapest network meets this budget: op 0 everywhere.
  const std::vector<PruneView> tight{{&alphas, &table, table.MinCost()}};
  Pruner pruner(space, 1);
  pruner.Check(0.95, tight);
  const auto removed = pruner.Check(0.95, tight);
  CHECK(removed.size() == space.edges().size());
  for (const PrunedOp& op : removed) CHECK(op.op == 1);
  // Without a budget only the most probable one is safe.
  const std::vector<PruneView> loose{{&alphas, &table, std::nullopt}};
  Pruner free(space, 1);
  free.Check(0.95, loose);
  CHECK(free.Check(0.95, loose).size() == 2 * space.edges().size());
  // A budget that nothing meets: nothing can be judged.
  const std::vector<PruneView> impossible{{&alphas, &table, table.MinCost() - 1}};
  Pruner stuck(space, 1);
  stuck.Check(0.95, impossible);
  CHECK(stuck.Check(0.95, impossible).empty());
}

double Fastest(const CostTable& table, const std::vector<std::vector<bool>>& pruned) {
  double least = INFINITY;
  test::ForEachChoice(table, [&](const Choice& choice) {
    for (std::size_t e = 0; e < choice.size(); ++e) {
      if (pruned[e][choice[e]]) return;
    }
    least = std::min(least, table.Cost(choice));
  });
  return least;
}

TEST_CASE("A whole search with pruning keeps its promises", "[pruning][oracle13]") {
  const SearchSpace space = Space("tiny");
  CounterRng rng(5);
  const CostTable macs = MacsCostTable(space);
  const CostTable launch_bound = test::RandomLaunchBound(space, rng);
  const double macs_budget = test::ShareOfRange(macs, 0.1);
  const double ms_budget = test::ShareOfRange(launch_bound, 0.3);
  std::vector<ArchParameters> targets;
  for (std::uint64_t t = 0; t < 2; ++t) targets.emplace_back(space, t);
  // Both targets come to want the most expensive ops, so that their optimum under the budget stays improbable.
  Pruner pruner(space, 2);
  int removed_before_end = 0, removed_in_all = 0;
  for (int epoch = 1; epoch <= 40; ++epoch) {
    const double t = epoch / 40.0;
    for (auto& alphas : targets) {
      Matrix gradient = macs.cost;
      for (std::size_t e = 0; e < gradient.size(); ++e) {
        for (double& g : gradient[e]) g = -g / 1e6 + 0.02 * rng.Normal();
      }
      for (int step = 0; step < 5; ++step) alphas.AdamStep(alphas.GateToAlpha(gradient), 0.05);
    }
    const auto removed = pruner.Check(t, {{&targets[0], &macs, macs_budget}, {&targets[1], &launch_bound, ms_budget}});
    if (t < 0.3) CHECK(removed.empty());
    for (const PrunedOp& op : removed) {
      for (auto& alphas : targets) {
        CHECK(alphas.Argmax()[op.edge] != op.op);
        alphas.Prune(op.edge, op.op);
      }
      ++removed_in_all;
      if (t < 0.9) ++removed_before_end;
    }
    CHECK(targets[0].pruned() == targets[1].pruned());
    for (const auto& alphas : targets) {
      const Matrix p = alphas.Probabilities();
      for (int e = 0; e < alphas.edges(); ++e) {
        double sum = 0;
        for (const double value : p[e]) sum += value;
        CHECK(sum == Approx(1).epsilon(1e-12));
        CHECK(alphas.left(e) >= (t < 0.9 ? 2 : 1));
      }
    }
    if (!removed.empty()) {
      CHECK(Fastest(macs, targets[0].pruned()) <= macs_budget);
      CHECK(Fastest(launch_bound, targets[1].pruned()) <= ms_budget);
    }
  }
  CHECK(removed_before_end > 5);
  CHECK(removed_in_all > removed_before_end);
  CHECK(SelectMostProbable(targets[0].LogProbabilities(), macs, macs_budget));
}

TEST_CASE("Constants of pruning are checked", "[pruning]") {
  const SearchSpace space = Space("tiny");
  PruningOptions late{.start = 0.95};
  CHECK_THROWS_AS(Pruner(space, 1, late), Error);
  CHECK_THROWS_WITH(Pruner(space, 1, PruningOptions{.c_start = 0.2}), Catch::Contains("c_end"));
  CHECK_THROWS_WITH(Pruner(space, 1, PruningOptions{.checks = 0}), Catch::Contains("checks 0"));
}

}  // namespace
}  // namespace nas
