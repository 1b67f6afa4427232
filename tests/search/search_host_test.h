// SPDX-License-Identifier: Apache-2.0
// What the tests of the search's host side share: spaces, random tables and probabilities, enumeration.
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "nas/core/rng.h"
#include "nas/latency/cost_table.h"
#include "nas/search/arch_parameters.h"
#include "nas/space/search_space.h"
#include "support/catch_compat.h"

namespace nas::test {

inline constexpr double kGone = -std::numeric_limits<double>::infinity();

inline SearchSpace Space(const std::string& name) {
  return SearchSpace::Load(name, {}, {std::string(NAS_SOURCE_DIR) + "/search_spaces"});
}

/// Some linear table of milliseconds with the shape of a space; skip ops are free.
inline CostTable RandomMillis(const SearchSpace& space, CounterRng& rng) {
  CostTable table;
  table.target = "test";
  table.unit = CostUnit::kMillis;
  table.fixed = 1 + rng.Uniform();
  table.a = 0.5 + rng.Uniform();
  table.b = rng.Uniform();
  for (const Edge& edge : space.edges()) {
    auto& row = table.cost.emplace_back();
    for (int op = 0; op < edge.size(); ++op) row.push_back(op == edge.skip_op ? 0 : 0.2 + rng.Uniform());
  }
  return table;
}

/// The same as a launch-bound table: three launches an op, none for skips.
inline CostTable RandomLaunchBound(const SearchSpace& space, CounterRng& rng) {
  CostTable table = RandomMillis(space, rng);
  table.launch_bound = true;
  table.b = 0;
  table.c0 = 0.5;
  table.c1 = 0.15 + 0.2 * rng.Uniform();
  table.fixed_launches = 5;
  for (const Edge& edge : space.edges()) {
    auto& row = table.launches.emplace_back();
    for (int op = 0; op < edge.size(); ++op) {
      row.push_back(op == edge.skip_op ? 0 : 2 + static_cast<int>(rng.Below(3)));
    }
  }
  return table;
}

inline Matrix RandomAlphas(const SearchSpace& space, CounterRng& rng, double deviation) {
  Matrix alpha;
  for (const Edge& edge : space.edges()) {
    auto& row = alpha.emplace_back();
    for (int op = 0; op < edge.size(); ++op) row.push_back(deviation * rng.Normal());
  }
  return alpha;
}

inline double ShareOfRange(const CostTable& table, double share) {
  return table.MinCost() + share * (table.MaxCost() - table.MinCost());
}

/// Calls `visit` with every choice, in the order of op indices.
inline void ForEachChoice(const CostTable& table, const std::function<void(const Choice&)>& visit) {
  Choice choice(table.cost.size(), 0);
  for (;;) {
    visit(choice);
    int edge = static_cast<int>(choice.size()) - 1;
    while (edge >= 0 && ++choice[edge] == static_cast<int>(table.cost[edge].size())) choice[edge--] = 0;
    if (edge < 0) return;
  }
}

}  // namespace nas::test
