// SPDX-License-Identifier: Apache-2.0
#include "nas/search/selection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "budget_grid.h"

namespace nas {
namespace {

using detail::BudgetGrid;
using detail::GridItem;
using detail::Rounding;
using detail::SuffixTable;

// Log-probabilities in whole numbers, so that sums do not depend on the order of edges. Doubles hold them exactly.
constexpr double kLogScale = 0x1p32;
constexpr double kLeastLog = -1e4;
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
constexpr std::int64_t kCellsPerEdge = 1000;

// A partial architecture: ops of the first edges. `parent` and `op` lead back through the levels.
struct Node {
  double log_prob = 0;  // whole number of 1/kLogScale nats
  std::int64_t extra = 0;
  int launches = 0;
  double bound = 0;
  std::int64_t order = 0;  // place among the nodes of its level in the order of op indices
  int parent = -1;
  int op = -1;
};

// Branch and bound, one edge after the other, all open nodes of an edge side by side. A node goes when the bound of its
// completions falls below what some node is sure to reach, or when another one is no worse in probability, cost and
// launches.
class Search {
 public:
  Search(const Matrix& log_p, const CostTable& table, double budget, const BudgetGrid& grid, std::int64_t slack)
      : log_p_(log_p),
        table_(table),
        budget_(budget),
        grid_(grid),
        slack_(slack),
        value_(log_p),
        upper_(grid, Rounding::kDown, kCellsPerEdge * grid.edges()),
        sure_(grid, Rounding::kUp, kCellsPerEdge * grid.edges()) {
    for (auto& row : value_) {
      for (double& v : row) v = std::round(std::max(v, kLeastLog) * kLogScale);
    }
    upper_.FillGreatestSum(value_);
    sure_.FillGreatestSum(value_);
  }

  std::optional<Selection> Run() {
    levels_.push_back({Node{}});
    reached_ = Best(sure_, 0, levels_[0][0], -grid_.slack);
    for (int e = 0; e < grid_.edges(); ++e) {
      levels_.push_back(Dominating(Expand(e)));
      if (levels_.back().empty()) return std::nullopt;
    }
    return BestLeaf();
  }

 private:
  // The best completion of a node by a suffix table, over all launches that it may still use.
  double Best(const SuffixTable& suffix, int edge, const Node& node, std::int64_t slack) const {
    double best = kMinusInfinity;
    for (int n = 0; node.launches + n < grid_.launch_levels(); ++n) {
      const std::int64_t room = grid_.room[node.launches + n] + slack - node.extra;
      if (room < 0) break;
      best = std::max(best, suffix.At(edge, n, room));
    }
    return node.log_prob + best;
  }

  std::vector<Node> Expand(int edge) {
    std::vector<Node> children;
    const auto& parents = levels_.back();
    const auto ops = static_cast<std::int64_t>(grid_.items[edge].size());
    for (int i = 0; i < static_cast<int>(parents.size()); ++i) {
      for (int op = 0; op < ops; ++op) {
        const GridItem& item = grid_.items[edge][op];
        if (item.gone) continue;
        ++nodes_;
        Node child{parents[i].log_prob + value_[edge][op],
                   parents[i].extra + item.extra,
                   parents[i].launches + item.launches,
                   0,
                   i * ops + op,
                   i,
                   op};
        child.bound = Best(upper_, edge + 1, child, slack_);
        if (child.bound == kMinusInfinity || child.bound < reached_) continue;
        reached_ = std::max(reached_, Best(sure_, edge + 1, child, -grid_.slack));
        children.push_back(child);
      }
    }
    std::erase_if(children, [this](const Node& node) { return node.bound < reached_; });
    return children;
  }

  // Of nodes of one edge, those that no other one dominates, in the order of op indices.
  std::vector<Node> Dominating(std::vector<Node> nodes) const {
    std::sort(nodes.begin(), nodes.end(), [](const Node& x, const Node& y) {
      return std::tuple(-x.log_prob, x.extra, x.launches, x.order) <
             std::tuple(-y.log_prob, y.extra, y.launches, y.order);
    });
    std::vector<std::int64_t> least(grid_.launch_levels(),
                                    std::numeric_limits<std::int64_t>::max());  // [n]: with ≤ n launches
    std::vector<Node> kept;
    for (const Node& node : nodes) {
      if (least[node.launches] <= node.extra) continue;
      kept.push_back(node);
      for (int n = node.launches; n < grid_.launch_levels() && least[n] > node.extra; ++n) least[n] = node.extra;
    }
    std::sort(kept.begin(), kept.end(), [](const Node& x, const Node& y) { return x.order < y.order; });
    return kept;
  }

  Choice ChoiceOf(int leaf) const {
    Choice choice(grid_.edges());
    for (int e = grid_.edges(); e > 0; --e) {
      const Node& node = levels_[e][leaf];
      choice[e - 1] = node.op;
      leaf = node.parent;
    }
    return choice;
  }

  std::optional<Selection> BestLeaf() const {
    std::optional<Selection> best;
    double best_value = 0;
    std::int64_t best_extra = 0;
    const auto& leaves = levels_.back();
    for (int i = 0; i < static_cast<int>(leaves.size()); ++i) {
      const Node& leaf = leaves[i];
      if (best && leaf.log_prob < best_value) continue;
      Selection found;
      found.choice = ChoiceOf(i);
      found.cost = table_.Cost(found.choice);
      if (!(found.cost <= budget_)) continue;
      if (best && leaf.log_prob == best_value) {
        const bool cheaper = table_.launch_bound ? found.cost < best->cost : leaf.extra < best_extra;
        if (!cheaper) continue;
      }
      for (int e = 0; e < grid_.edges(); ++e) found.log_prob += log_p_[e][found.choice[e]];
      found.nodes = nodes_;
      best_value = leaf.log_prob;
      best_extra = leaf.extra;
      best = std::move(found);
    }
    return best;
  }

  const Matrix& log_p_;
  const CostTable& table_;
  const double budget_;
  const BudgetGrid& grid_;
  const std::int64_t slack_;
  Matrix value_;
  SuffixTable upper_;
  SuffixTable sure_;
  std::vector<std::vector<Node>> levels_;
  double reached_ = kMinusInfinity;
  std::int64_t nodes_ = 0;
};

}  // namespace

std::optional<Selection> SelectMostProbable(const Matrix& log_p, const CostTable& table, double budget) {
  std::vector<std::vector<bool>> gone;
  for (const auto& row : log_p) {
    auto& flags = gone.emplace_back();
    for (const double value : row) flags.push_back(value == kMinusInfinity);
  }
  const BudgetGrid grid = detail::MakeBudgetGrid(table, std::min(budget, table.MaxCost()), gone);
  if (grid.room[0] + grid.slack < 0) return std::nullopt;
  // Inside the band of rounding the true cost decides; where it refuses what crowded out the rest, stay below the band.
  auto selection = Search(log_p, table, budget, grid, grid.slack).Run();
  if (!selection) selection = Search(log_p, table, budget, grid, -grid.slack).Run();
  return selection;
}

Selection SelectArgmax(const Matrix& log_p, const CostTable& table) {
  Selection selection;
  for (const auto& row : log_p) {
    const auto best = std::max_element(row.begin(), row.end());
    selection.choice.push_back(static_cast<int>(best - row.begin()));
    selection.log_prob += *best;
  }
  selection.cost = table.Cost(selection.choice);
  return selection;
}

}  // namespace nas
