// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/cost_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/core/units.h"

namespace nas {
namespace {

/// (x^p + y^p)^(1/p) for x, y ≥ 0 without overflow.
double PowerSum(double x, double y, double p) {
  const double high = std::max(x, y);
  if (high <= 0) return 0;
  return high * std::pow(1 + std::pow(std::min(x, y) / high, p), 1 / p);
}

double Dot(const std::vector<std::vector<double>>& p, const std::vector<std::vector<double>>& cost) {
  double sum = 0;
  for (size_t e = 0; e < cost.size(); ++e) {
    for (size_t o = 0; o < cost[e].size(); ++o) sum += p[e][o] * cost[e][o];
  }
  return sum;
}

double DotLaunches(const std::vector<std::vector<double>>& p, const std::vector<std::vector<int>>& launches) {
  double sum = 0;
  for (size_t e = 0; e < launches.size(); ++e) {
    for (size_t o = 0; o < launches[e].size(); ++o) sum += p[e][o] * launches[e][o];
  }
  return sum;
}

void CheckProbabilities(const CostTable& table, const std::vector<std::vector<double>>& p) {
  bool ok = p.size() == table.cost.size();
  for (size_t e = 0; ok && e < p.size(); ++e) ok = p[e].size() == table.cost[e].size();
  if (!ok) ThrowInternal("probabilities do not have the shape of the cost table of \"" + table.target + "\"");
}

/// Extreme total of a launch-bound table. T grows with both S and N, and the launches of a whole network are few: for
/// every reachable N the extreme S is kept (a multiple-choice knapsack over N), which is exact.
double LaunchBoundExtreme(const CostTable& table, bool least) {
  constexpr double kUnreached = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> best{table.fixed};
  for (size_t e = 0; e < table.cost.size(); ++e) {
    const int most = *std::max_element(table.launches[e].begin(), table.launches[e].end());
    std::vector<double> next(best.size() + most, kUnreached);
    for (size_t n = 0; n < best.size(); ++n) {
      if (std::isnan(best[n])) continue;
      for (size_t o = 0; o < table.cost[e].size(); ++o) {
        double& slot = next[n + table.launches[e][o]];
        const double sum = best[n] + table.cost[e][o];
        if (std::isnan(slot) || (least ? sum < slot : sum > slot)) slot = sum;
      }
    }
    best = std::move(next);
  }
  double extreme = kUnreached;
  for (size_t n = 0; n < best.size(); ++n) {
    if (std::isnan(best[n])) continue;
    const double total = table.Total(best[n], table.fixed_launches + static_cast<double>(n));
    if (std::isnan(extreme) || (least ? total < extreme : total > extreme)) extreme = total;
  }
  return extreme;
}

double Extreme(const CostTable& table, bool least) {
  if (table.launch_bound) return LaunchBoundExtreme(table, least);
  double sum = table.fixed;
  for (const auto& edge : table.cost) {
    sum += least ? *std::min_element(edge.begin(), edge.end()) : *std::max_element(edge.begin(), edge.end());
  }
  return table.Total(sum, 0);
}

}  // namespace

double CostTable::Total(double sum, double launch_count) const {
  return launch_bound ? PowerSum(a * sum, c0 + c1 * launch_count, p) : a * sum + b;
}

double CostTable::Cost(std::span<const int> choice) const {
  if (choice.size() != cost.size()) {
    ThrowInput(StrCat("a choice of ", choice.size(), " ops for the ", cost.size(), " edges of the cost table of \"",
                      target, "\"; give one op index per searched edge"));
  }
  double sum = fixed;
  int launch_count = fixed_launches;
  for (size_t e = 0; e < cost.size(); ++e) {
    if (choice[e] < 0 || choice[e] >= static_cast<int>(cost[e].size())) {
      ThrowInput(StrCat("op index ", choice[e], " on edge ", e + 1, " is outside 0…", cost[e].size() - 1));
    }
    sum += cost[e][choice[e]];
    if (launch_bound) launch_count += launches[e][choice[e]];
  }
  return Total(sum, launch_count);
}

double CostTable::MinCost() const { return Extreme(*this, /*least=*/true); }

double CostTable::MaxCost() const { return Extreme(*this, /*least=*/false); }

double CostTable::Expected(const std::vector<std::vector<double>>& prob) const {
  CheckProbabilities(*this, prob);
  return Total(fixed + Dot(prob, cost), launch_bound ? fixed_launches + DotLaunches(prob, launches) : 0);
}

std::vector<std::vector<double>> CostTable::ExpectedGradient(const std::vector<std::vector<double>>& prob) const {
  CheckProbabilities(*this, prob);
  double per_sum = a;
  double per_launch = 0;
  if (launch_bound) {
    // latency.md §4: ∂T/∂S = a·(a·S/T)^(p−1), ∂T/∂N = c1·((c0 + c1·N)/T)^(p−1).
    const double sum = fixed + Dot(prob, cost);
    const double bound = c0 + c1 * (fixed_launches + DotLaunches(prob, launches));
    const double total = PowerSum(a * sum, bound, p);
    per_sum = total > 0 ? a * std::pow(a * sum / total, p - 1) : a;
    per_launch = total > 0 ? c1 * std::pow(bound / total, p - 1) : 0;
  }
  std::vector<std::vector<double>> gradient = cost;
  for (size_t e = 0; e < cost.size(); ++e) {
    for (size_t o = 0; o < cost[e].size(); ++o) {
      gradient[e][o] = per_sum * cost[e][o] + (launch_bound ? per_launch * launches[e][o] : 0);
    }
  }
  return gradient;
}

CostTable MacsCostTable(const SearchSpace& space) {
  CostTable table;
  table.target = "macs";
  table.unit = CostUnit::kMacs;
  table.fixed = static_cast<double>(space.fixed_macs().value);
  for (size_t e = 0; e < space.edges().size(); ++e) {
    auto& row = table.cost.emplace_back();
    for (int o = 0; o < space.edges()[e].size(); ++o) {
      row.push_back(static_cast<double>(space.macs(static_cast<int>(e), o).value));
    }
  }
  return table;
}

CostTable ParamsCostTable(const SearchSpace& space) {
  CostTable table;
  table.target = "params";
  table.unit = CostUnit::kParams;
  table.fixed = static_cast<double>(space.fixed_params());
  for (size_t e = 0; e < space.edges().size(); ++e) {
    auto& row = table.cost.emplace_back();
    for (int o = 0; o < space.edges()[e].size(); ++o) {
      row.push_back(static_cast<double>(space.params(static_cast<int>(e), o)));
    }
  }
  return table;
}

std::string CostToString(CostUnit unit, double cost) {
  return unit == CostUnit::kMillis ? ToString(Millis{cost}) : CountToString(std::llround(cost));
}

}  // namespace nas
