// SPDX-License-Identifier: Apache-2.0
#include "nas/search/feasible_sampler.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "budget_grid.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/search/selection.h"

namespace nas {
namespace {

constexpr std::int64_t kCellsPerEdge = 250;

[[noreturn]] void ThrowInfeasible(const CostTable& table, double budget) {
  throw Error(ErrorKind::kInfeasible,
              StrCat("no architecture meets ", CostToString(table.unit, budget), " on ", table.target,
                     "; the least cost is ", CostToString(table.unit, table.MinCost()), ", raise the budget"));
}

}  // namespace

struct FeasibleSampler::Impl {
  Impl(const CostTable& cost_table, std::optional<double> asked, const std::vector<std::vector<bool>>& gone)
      : table(cost_table),
        budget(std::min(asked.value_or(std::numeric_limits<double>::infinity()), table.MaxCost())),
        grid(detail::MakeBudgetGrid(table, budget, gone)),
        ways(grid, detail::Rounding::kDown, kCellsPerEdge * grid.edges()) {
    ways.FillCount();
  }

  // Costs are rounded down, so these ways hold all that meet the budget, and a few that miss it by less than a cell per
  // edge.
  double WaysWith(int launches) const {
    const std::int64_t cell = ways.CellOfRoom(grid.room[launches] + grid.slack);
    return cell < 0 ? 0 : ways.AtCell(0, launches, cell);
  }

  Choice Draw(CounterRng& rng) const {
    int launches = 0;
    double left = Uniform(rng) * Total();
    while (launches + 1 < grid.launch_levels() && left >= WaysWith(launches)) left -= WaysWith(launches++);
    while (WaysWith(launches) <= 0) --launches;  // rounding ran past the last level that holds any

    std::int64_t cell = ways.CellOfRoom(grid.room[launches] + grid.slack);
    Choice choice(grid.edges());
    for (int e = 0; e < grid.edges(); ++e) {
      choice[e] = DrawOp(e, launches, cell, Uniform(rng) * ways.AtCell(e, launches, cell));
      launches -= grid.items[e][choice[e]].launches;
      cell -= ways.CellsOf(e, choice[e]);
    }
    return choice;
  }

  int DrawOp(int edge, int launches, std::int64_t cell, double left) const {
    int last = -1;
    for (int op = 0; op < static_cast<int>(grid.items[edge].size()); ++op) {
      const auto& item = grid.items[edge][op];
      if (item.gone || item.launches > launches || ways.CellsOf(edge, op) > cell) continue;
      const double share = ways.AtCell(edge + 1, launches - item.launches, cell - ways.CellsOf(edge, op));
      if (share <= 0) continue;
      last = op;
      if (left < share) break;
      left -= share;
    }
    if (last < 0) ThrowInternal(StrCat("no way to go on from edge ", edge));
    return last;
  }

  // 64 random bits: counts go far beyond 2^32.
  static double Uniform(CounterRng& rng) {
    const double high = static_cast<double>(rng.Next());
    return (high + rng.Uniform()) * 0x1p-32;
  }

  double Total() const {
    double total = 0;
    for (int n = 0; n < grid.launch_levels(); ++n) total += WaysWith(n);
    return total;
  }

  CostTable table;
  double budget;
  detail::BudgetGrid grid;
  detail::SuffixTable ways;
};

FeasibleSampler::FeasibleSampler(const CostTable& table, std::optional<double> budget,
                                 const std::vector<std::vector<bool>>& gone)
    : impl_(std::make_unique<Impl>(table, budget, gone)) {
  Matrix log_p = table.cost;
  for (std::size_t e = 0; e < log_p.size(); ++e) {
    for (std::size_t o = 0; o < log_p[e].size(); ++o) {
      log_p[e][o] = !gone.empty() && gone[e][o] ? -std::numeric_limits<double>::infinity() : 0;
    }
  }
  if (!SelectMostProbable(log_p, table, impl_->budget)) ThrowInfeasible(table, impl_->budget);
}

FeasibleSampler::~FeasibleSampler() = default;
FeasibleSampler::FeasibleSampler(FeasibleSampler&&) noexcept = default;
FeasibleSampler& FeasibleSampler::operator=(FeasibleSampler&&) noexcept = default;

Choice FeasibleSampler::Sample(CounterRng& rng) const {
  for (;;) {
    Choice choice = impl_->Draw(rng);
    if (impl_->table.Cost(choice) <= impl_->budget) return choice;
  }
}

double FeasibleSampler::count() const { return impl_->Total(); }

}  // namespace nas
