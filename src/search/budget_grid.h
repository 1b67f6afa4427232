// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "nas/latency/cost_table.h"
#include "nas/search/path_sampler.h"

namespace nas::detail {

/// A candidate as seen from the cheapest network: what it costs more than the least of its edge.
struct GridItem {
  bool gone = false;       ///< masked, or too expensive beside the cheapest of all other edges
  std::int64_t extra = 0;  ///< latency (or MACs, params) above the edge's least, in quanta
  int launches = 0;        ///< kernel launches above the edge's least, in steps; 0 unless launch-bound
};

/// A budget on a cost table in whole numbers, so that sums are exact and ties are ties. Linear and launch-bound tables
/// look alike: with n launches above the least, `room[n]` quanta are left for the edges; a linear table has n = 0 only.
struct BudgetGrid {
  std::vector<std::vector<GridItem>> items;  ///< [edge][op]
  std::vector<std::int64_t> room;            ///< [n], non-increasing, −1 = these many launches alone break the budget
  std::int64_t slack = 0;  ///< quanta by which rounding may have moved the room; the true cost decides inside this band

  int edges() const { return static_cast<int>(items.size()); }
  int launch_levels() const { return static_cast<int>(room.size()); }
};

/// `gone[edge][op]`: masked candidates; empty = none. A grid without room (`room[0] < -slack`) means that no network
/// meets the budget.
BudgetGrid MakeBudgetGrid(const CostTable& table, double budget, const std::vector<std::vector<bool>>& gone);

enum class Rounding { kDown, kUp };

/// Dynamic programming over the edges from the last to the first, costs in cells of `cell` quanta:
/// value(e, n, c) of all ways to fill edges e… with exactly n launches and at most c cells.
class SuffixTable {
 public:
  /// `cells`: how many cells the room is divided into (over all launch levels).
  SuffixTable(const BudgetGrid& grid, Rounding rounding, std::int64_t cells);

  /// Greatest sum of `value[edge][op]`; −inf where nothing fits.
  void FillGreatestSum(const Matrix& value);
  /// Number of networks (rounded to double).
  void FillCount();

  /// Value for a room in quanta.
  double At(int edge, int launches, std::int64_t room) const;
  double AtCell(int edge, int launches, std::int64_t cell) const { return values_[Index(edge, launches, cell)]; }
  std::int64_t CellsOf(int edge, int op) const { return weight_[edge][op]; }
  std::int64_t CellOfRoom(std::int64_t room) const { return room < 0 ? -1 : std::min(room / cell_, cells_ - 1); }

 private:
  std::size_t Index(int edge, int launches, std::int64_t cell) const {
    return (static_cast<std::size_t>(edge) * grid_->launch_levels() + launches) * cells_ + cell;
  }
  template <typename Combine>
  void Fill(double nothing, double one, Combine combine);

  const BudgetGrid* grid_;
  std::int64_t cell_ = 1;
  std::int64_t cells_ = 1;
  std::vector<std::vector<std::int64_t>> weight_;
  std::vector<double> values_;
};

}  // namespace nas::detail
