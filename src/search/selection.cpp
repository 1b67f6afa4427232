// SPDX-License-Identifier: Apache-2.0
#include "nas/search/selection.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

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
constexpr double kRelaxedRounding = 16;  // of sums of doubles, in units of 1/kLogScale
// Open nodes per edge: 10^5 in all on 21 edges.
constexpr std::size_t kFirstWidth = 1000;
constexpr std::size_t kWidth = 3500;
// Nats that the most expensive candidate is given back when unused latency gets a price.
constexpr double kLeastPrice = 1.0 / 16;
constexpr double kMostPrice = 4096;
constexpr double kPriceStep = 0.01;

// Cells over all launch levels: fewer per level where there are several, so that the work stays in bounds.
std::int64_t Cells(const BudgetGrid& grid) { return kCellsPerEdge * grid.edges() * std::min(grid.launch_levels(), 3); }

// A partial architecture: ops of the first edges. `parent` and `op` lead back through the levels.
struct Node {
  double log_prob = 0;  // whole number of 1/kLogScale nats
  std::int64_t extra = 0;
  int launches = 0;
  double bound = 0;        // no completion is more probable
  double sure = 0;         // some completion is as probable
  std::int64_t order = 0;  // place among the nodes of its level in the order of op indices
  int parent = -1;
  int op = -1;
};

// A complete network that meets the budget.
struct Leaf {
  Selection selection;
  double log_prob = 0;  // as in Node
  double cost = 0;      // for comparison only
  friend bool operator<(const Leaf& x, const Leaf& y) {
    return std::tuple(-x.log_prob, x.cost, x.selection.choice) < std::tuple(-y.log_prob, y.cost, y.selection.choice);
  }
};

// Branch and bound, one edge after the other, all open nodes of an edge side by side. A node goes when the bound of its
// completions falls below what some node is sure to reach, or when another one is no worse in probability, cost and
// launches. The bound is the lesser of the suffix DP over costs rounded down and of the Lagrangian relaxation on the
// true ones: where log p is nearly linear in the cost, all networks close to the budget are alike and only the second
// tells them apart.
class Search {
 public:
  Search(const Matrix& log_p, const CostTable& table, double budget, const BudgetGrid& grid, std::int64_t slack)
      : log_p_(log_p),
        table_(table),
        budget_(budget),
        grid_(grid),
        slack_(slack),
        value_(log_p),
        upper_(grid, Rounding::kDown, Cells(grid)),
        sure_(grid, Rounding::kUp, Cells(grid)) {
    for (auto& row : value_) {
      for (double& v : row) v = std::round(std::max(v, kLeastLog) * kLogScale);
    }
    upper_.FillGreatestSum(value_);
    sure_.FillGreatestSum(value_);
    price_ = DualPrice();
    relaxed_.assign(grid_.edges() + 1, 0);
    for (int e = grid_.edges() - 1; e >= 0; --e) relaxed_[e] = relaxed_[e + 1] + BestAt(e, price_).first;
  }

  std::optional<Selection> Run() {
    reached_ = Best(sure_, 0, Node{}, -grid_.slack);
    // A first pass that keeps few nodes finds a good network; the second one, knowing it, prunes from the start.
    double unproved = std::numeric_limits<double>::infinity();
    for (const std::size_t width : {kFirstWidth, kWidth}) {
      unproved = std::min(unproved, Pass(width));
      if (unproved <= reached_) break;
    }
    if (!best_) return std::nullopt;
    best_->selection.nodes = nodes_;
    best_->selection.gap = std::max(0.0, (unproved - best_->log_prob) / kLogScale);
    return best_->selection;
  }

 private:
  // The op of an edge that is best at a price per quantum, as {value − price·extra, extra}; the cheaper one of equals.
  std::pair<double, double> BestAt(int edge, double price) const {
    std::pair<double, double> best{kMinusInfinity, 0};
    for (std::size_t o = 0; o < grid_.items[edge].size(); ++o) {
      const GridItem& item = grid_.items[edge][o];
      if (item.gone) continue;
      const auto extra = static_cast<double>(item.extra);
      const double value = value_[edge][o] - price * extra;
      if (value > best.first || (value == best.first && extra < best.second)) best = {value, extra};
    }
    return best;
  }

  // The price at which the best ops just fill the room: it gives the least dual bound.
  double DualPrice() const {
    const auto room = static_cast<double>(grid_.room[0] + slack_);
    const auto fits = [&](double price) {
      double extra = 0;
      for (int e = 0; e < grid_.edges(); ++e) extra += BestAt(e, price).second;
      return extra <= room;
    };
    if (fits(0)) return 0;
    double high = kLogScale / std::max(room, 1.0);
    for (int i = 0; i < 200 && !fits(high); ++i) high *= 2;
    double low = 0;
    for (int i = 0; i < 100; ++i) {
      const double middle = (low + high) / 2;
      (fits(middle) ? high : low) = middle;
    }
    return high;
  }

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

  double Bound(int edge, const Node& node) const {
    const auto room = static_cast<double>(grid_.room[node.launches] + slack_ - node.extra);
    const double relaxed = node.log_prob + relaxed_[edge] + price_ * room + kRelaxedRounding;
    return std::min(relaxed, Best(upper_, edge, node, slack_));
  }

  std::vector<Node> Expand(int edge) {
    std::vector<Node> children;
    const auto& parents = levels_.back();
    const auto ops = static_cast<std::int64_t>(grid_.items[edge].size());
    for (int i = 0; i < static_cast<int>(parents.size()); ++i) {
      for (int op = 0; op < ops; ++op) {
        const GridItem& item = grid_.items[edge][op];
        if (item.gone) continue;
        Node child{parents[i].log_prob + value_[edge][op],
                   parents[i].extra + item.extra,
                   parents[i].launches + item.launches,
                   0,
                   0,
                   i * ops + op,
                   i,
                   op};
        child.bound = Bound(edge + 1, child);
        if (child.bound == kMinusInfinity || child.bound < reached_) continue;
        child.sure = Best(sure_, edge + 1, child, -grid_.slack);
        reached_ = std::max(reached_, child.sure);
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

  // One sweep over the edges, with at most `width` open nodes. Returns the highest bound that it let go.
  double Pass(std::size_t width) {
    double let_go = kMinusInfinity;
    levels_.assign(1, {Node{}});
    for (int e = 0; e < grid_.edges() && !levels_.back().empty(); ++e) {
      levels_.push_back(Narrowed(Dominating(Expand(e)), width, &let_go));
      nodes_ += static_cast<std::int64_t>(levels_.back().size());
    }
    TakeLeaves();
    return let_go;
  }

  // At most `width` nodes: the one that is sure of the most, since `reached_` counts on it, and those of the highest
  // bounds.
  static std::vector<Node> Narrowed(std::vector<Node> nodes, std::size_t width, double* let_go) {
    if (nodes.size() <= width) return nodes;
    const auto surest =
        std::max_element(nodes.begin(), nodes.end(), [](const Node& x, const Node& y) { return x.sure < y.sure; });
    std::iter_swap(nodes.begin(), surest);
    const auto cut = nodes.begin() + static_cast<std::ptrdiff_t>(width);
    std::nth_element(nodes.begin() + 1, cut, nodes.end(), [](const Node& x, const Node& y) {
      return std::tuple(-x.bound, x.order) < std::tuple(-y.bound, y.order);
    });
    *let_go = std::max(*let_go, cut->bound);
    nodes.erase(cut, nodes.end());
    std::sort(nodes.begin(), nodes.end(), [](const Node& x, const Node& y) { return x.order < y.order; });
    return nodes;
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

  // Takes the best leaf that truly meets the budget, if it beats what an earlier pass found.
  void TakeLeaves() {
    if (static_cast<int>(levels_.size()) <= grid_.edges()) return;
    const auto& leaves = levels_.back();
    for (int i = 0; i < static_cast<int>(leaves.size()); ++i) {
      if (best_ && leaves[i].log_prob < best_->log_prob) continue;
      Leaf leaf{Selection(), leaves[i].log_prob, 0};
      leaf.selection.choice = ChoiceOf(i);
      leaf.selection.cost = table_.Cost(leaf.selection.choice);
      if (!(leaf.selection.cost <= budget_)) continue;
      // Whole numbers where there are, so that equal costs are equal whatever the order of their edges.
      leaf.cost = table_.launch_bound ? leaf.selection.cost : static_cast<double>(leaves[i].extra);
      if (best_ && !(leaf < *best_)) continue;
      for (int e = 0; e < grid_.edges(); ++e) leaf.selection.log_prob += log_p_[e][leaf.selection.choice[e]];
      best_ = std::move(leaf);
    }
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
  double price_ = 0;             // of a quantum, in 1/kLogScale nats
  std::vector<double> relaxed_;  // [edge]: the dual's value of the edges from there on, room left out
  double reached_ = kMinusInfinity;
  std::optional<Leaf> best_;
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

std::optional<Selection> SelectUsingBudget(const Matrix& log_p, const CostTable& table, double budget,
                                           double least_share) {
  const auto plain = SelectMostProbable(log_p, table, budget);
  if (!plain || plain->cost >= least_share * budget) return plain;
  double most = 0;
  for (const auto& row : table.cost) most = std::max(most, *std::max_element(row.begin(), row.end()));
  if (most <= 0) return plain;

  // The cost of the best architecture never falls as the price rises.
  const auto at_price = [&](double price) {
    Matrix value = log_p;
    for (std::size_t e = 0; e < value.size(); ++e) {
      double top = kMinusInfinity;
      for (std::size_t op = 0; op < value[e].size(); ++op) {
        value[e][op] += price * table.cost[e][op] / most;
        top = std::max(top, value[e][op]);
      }
      for (double& v : value[e]) v -= top;
    }
    Selection selection = *SelectMostProbable(value, table, budget);
    selection.log_prob = 0;
    for (std::size_t e = 0; e < log_p.size(); ++e) selection.log_prob += log_p[e][selection.choice[e]];
    return selection;
  };
  double low = 0;
  double high = kLeastPrice;
  Selection best = at_price(high);
  while (best.cost < least_share * budget && high < kMostPrice) {
    low = high;
    high *= 2;
    best = at_price(high);
  }
  while (best.cost >= least_share * budget && high - low > kPriceStep * high) {
    const double price = (low + high) / 2;
    const Selection selection = at_price(price);
    if (selection.cost >= least_share * budget) {
      best = selection;
      high = price;
    } else {
      low = price;
    }
  }
  return best;
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
