// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nas/latency/cost_table.h"

namespace nas {

/// A cost table for millions of networks: one byte per searched edge in (21 bytes for the default space), ms out.
/// Costs are kept as float, so totals agree with `CostTable::Cost` to about 1e-6 relative.
class CompiledTable {
 public:
  explicit CompiledTable(const CostTable& table);

  int edges() const { return edges_; }
  /// Total of one network; `code`: one op index per edge. NaN when an index is no op of its edge.
  double Predict(std::span<const std::uint8_t> code) const;
  /// `codes`: [networks, edges], row by row; `totals`: [networks]. Throws kInternal when the sizes do not fit.
  void Predict(std::span<const std::uint8_t> codes, std::span<double> totals) const;

 private:
  double Total(const std::uint8_t* code) const;

  int edges_ = 0;
  CostTable form_;               // a, b, launch-bound constants; no edges
  std::vector<float> cost_;      // [edge][256]: every byte is a legal index, NaN beyond the edge's ops
  std::vector<float> launches_;  // likewise, empty unless launch-bound
};

}  // namespace nas
