// SPDX-License-Identifier: Apache-2.0
#include "budget_grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "nas/core/error.h"

namespace nas::detail {
namespace {

constexpr double kQuantaInBudget = 0x1p44;
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

// The greatest sum of costs S for which a network with `launches` kernel launches meets the budget; < 0 = none.
double GreatestSum(const CostTable& table, double budget, double launches) {
  if (!table.launch_bound) return (budget - table.b) / table.a;
  const double bound = table.c0 + table.c1 * launches;
  if (budget <= 0 || bound > budget) return -1;
  return budget * std::pow(1 - std::pow(bound / budget, table.p), 1 / table.p) / table.a;
}

bool IsGone(const std::vector<std::vector<bool>>& gone, std::size_t edge, std::size_t op) {
  return !gone.empty() && gone[edge][op];
}

template <typename Value>
std::vector<Value> LeastPerEdge(const std::vector<std::vector<Value>>& cost,
                                const std::vector<std::vector<bool>>& gone) {
  std::vector<Value> least;
  for (std::size_t e = 0; e < cost.size(); ++e) {
    Value value = std::numeric_limits<Value>::max();
    for (std::size_t o = 0; o < cost[e].size(); ++o) {
      if (!IsGone(gone, e, o)) value = std::min(value, cost[e][o]);
    }
    if (value == std::numeric_limits<Value>::max()) ThrowInternal("an edge of the search space has no candidate left");
    least.push_back(value);
  }
  return least;
}

}  // namespace

BudgetGrid MakeBudgetGrid(const CostTable& table, double budget, const std::vector<std::vector<bool>>& gone) {
  BudgetGrid grid;
  const std::vector<double> least = LeastPerEdge(table.cost, gone);
  double cheapest = table.fixed;
  for (const double cost : least) cheapest += cost;

  std::vector<int> least_launches(table.cost.size(), 0);
  int launches = 0;
  int step =
      0;  // greatest common divisor of all launches above the least: 3 where every op is expand, depthwise, project
  int span = 0;
  if (table.launch_bound) {
    least_launches = LeastPerEdge(table.launches, gone);
    launches = table.fixed_launches;
    for (std::size_t e = 0; e < table.cost.size(); ++e) {
      launches += least_launches[e];
      int most = least_launches[e];
      for (std::size_t o = 0; o < table.launches[e].size(); ++o) {
        if (IsGone(gone, e, o)) continue;
        most = std::max(most, table.launches[e][o]);
        step = std::gcd(step, table.launches[e][o] - least_launches[e]);
      }
      span += most - least_launches[e];
    }
  }

  const double greatest = GreatestSum(table, budget, launches);
  const double quantum =
      std::max({greatest, cheapest, std::numeric_limits<double>::min() * kQuantaInBudget}) / kQuantaInBudget;
  grid.slack = 2 * static_cast<std::int64_t>(table.cost.size()) + 8;
  step = std::max(step, 1);
  for (int n = 0; n <= span; n += step) {
    const double sum = GreatestSum(table, budget, launches + n);
    const double room = std::floor((sum - cheapest) / quantum);
    grid.room.push_back(sum < 0 ? -1 - grid.slack : std::max<std::int64_t>(std::llround(room), -1 - grid.slack));
  }
  for (std::size_t e = 0; e < table.cost.size(); ++e) {
    auto& row = grid.items.emplace_back();
    for (std::size_t o = 0; o < table.cost[e].size(); ++o) {
      GridItem item;
      const double extra = (table.cost[e][o] - least[e]) / quantum;
      item.gone = IsGone(gone, e, o) || !(extra <= static_cast<double>(grid.room[0] + grid.slack));
      if (!item.gone) {
        item.extra = std::llround(extra);
        item.launches = table.launch_bound ? (table.launches[e][o] - least_launches[e]) / step : 0;
      }
      row.push_back(item);
    }
  }
  return grid;
}

SuffixTable::SuffixTable(const BudgetGrid& grid, Rounding rounding, std::int64_t cells) : grid_(&grid) {
  const std::int64_t room = std::max<std::int64_t>(grid.room[0] + grid.slack, 0);
  const std::int64_t per_level = std::max<std::int64_t>(cells / grid.launch_levels(), 256);
  cell_ = room / per_level + 1;
  cells_ = room / cell_ + 1;
  const std::int64_t up = rounding == Rounding::kUp ? cell_ - 1 : 0;
  for (const auto& row : grid.items) {
    auto& weights = weight_.emplace_back();
    for (const GridItem& item : row) weights.push_back((item.extra + up) / cell_);
  }
}

template <typename Combine>
void SuffixTable::Fill(double nothing, double one, Combine combine) {
  const int edges = grid_->edges();
  const int levels = grid_->launch_levels();
  values_.assign(static_cast<std::size_t>(edges + 1) * levels * cells_, nothing);
  std::fill_n(values_.begin() + static_cast<std::ptrdiff_t>(Index(edges, 0, 0)), cells_, one);
  int reached = 0;  // most launches that the edges so far can use
  for (int e = edges - 1; e >= 0; --e) {
    int most = 0;
    for (std::size_t o = 0; o < grid_->items[e].size(); ++o) {
      const GridItem& item = grid_->items[e][o];
      if (item.gone) continue;
      most = std::max(most, item.launches);
      const std::int64_t shift = weight_[e][o];
      for (int n = 0; n <= reached && n + item.launches < levels; ++n) {
        const double* next = &values_[Index(e + 1, n, 0)];
        double* here = &values_[Index(e, n + item.launches, 0)];
        for (std::int64_t c = shift; c < cells_; ++c) here[c] = combine(here[c], next[c - shift], e, o);
      }
    }
    reached = std::min(reached + most, levels - 1);
  }
}

void SuffixTable::FillGreatestSum(const Matrix& value) {
  Fill(kMinusInfinity, 0,
       [&](double here, double next, int e, std::size_t o) { return std::max(here, next + value[e][o]); });
}

void SuffixTable::FillCount() {
  Fill(0, 1, [](double here, double next, int, std::size_t) { return here + next; });
}

double SuffixTable::At(int edge, int launches, std::int64_t room) const {
  const std::int64_t cell = CellOfRoom(room);
  return cell < 0 ? kMinusInfinity : AtCell(edge, launches, cell);
}

}  // namespace nas::detail
