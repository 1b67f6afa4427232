// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nas/latency/block_key.h"
#include "nas/latency/cost_table.h"
#include "nas/latency/fit.h"
#include "nas/latency/latency_table.h"
#include "nas/space/architecture.h"

namespace nas {

/// Where block latencies come from.
enum class BlockSource {
  kBlended,       ///< measured rows and model, weighted by precision (latency.md §3.3)
  kMeasuredOnly,  ///< measured rows alone; a key without a row is an error
  kModelOnly,     ///< the model alone
};

struct BlockPrediction {
  std::string key;
  double ms = 0;          ///< before a and b
  double sigma = 0;       ///< u_b: relative standard deviation
  bool measured = false;  ///< a measured row took part
  bool inferred = false;  ///< the table knows whole networks only
  bool extrapolated = false;
  std::vector<std::string> flags;  ///< reasons: "k 7 was never sampled", "head_scaled", "head_estimated"
  int launches = 0;
};

struct NetworkPrediction {
  double ms = 0;                     ///< T
  double sigma = 0;                  ///< U, ms
  double half_width = 0;             ///< q·U, ms
  std::array<double, 2> interval{};  ///< 95 %: ms ± half width, not below 0
  bool extrapolated = false;
  double extrapolated_share = 0;  ///< of S
  bool calibrated = false;        ///< false: a = 1, b = 0, say "uncalibrated"
  double sum = 0;                 ///< S = Σ block ms
  int launches = 0;
  std::vector<BlockPrediction> blocks;
};

/// Predicts latencies from a table (latency.md §3). Immutable; cheap to copy.
class LatencyModel {
 public:
  /// Throws kInput when the table has not been fitted (unless measured rows alone are asked for).
  explicit LatencyModel(LatencyTable table, BlockSource source = BlockSource::kBlended);
  /// Fits a copy of the table first.
  static LatencyModel Fit(LatencyTable table, const FitOptions& options = {});

  const LatencyTable& table() const;
  BlockSource source() const;

  /// `resolution`: input side of the network it stands in, for the extrapolation flag; 0 = unknown.
  BlockPrediction PredictBlock(const BlockKey& key, int resolution = 0) const;
  /// Throws kInput "no latency model for X" for networks whose blocks have no key, and, with measured rows only,
  /// listing up to 5 missing keys with the nearest covered one.
  NetworkPrediction PredictNetwork(const Architecture& architecture) const;
  /// The same for a network given as block keys; free layers may be "".
  NetworkPrediction PredictKeys(const std::vector<std::string>& keys, int resolution) const;

  /// Costs of every candidate of a space, for the search. Throws kInput on a key that cannot be served.
  CostTable Compile(const SearchSpace& space) const;

 private:
  struct State;
  BlockPrediction PredictMbconv(const BlockKey& key) const;
  BlockPrediction PredictHeadPiece(const BlockKey& key) const;
  void CheckCovered(const std::vector<std::string>& keys) const;
  std::shared_ptr<const State> state_;
};

}  // namespace nas
