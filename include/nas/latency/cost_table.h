// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "nas/space/search_space.h"

namespace nas {

enum class CostUnit { kMillis, kMacs, kParams };

/// Cost of every candidate of a space on one target, ready for the search: total = a·(fixed + Σ_e cost[e][o_e]) + b,
/// or the launch-bound form of latency.md §3.6. For MACs and params a = 1, b = 0 and the sum is exact.
struct CostTable {
  std::string target;  ///< name of the target: "cpu", "note10-tflite-cpu", "macs"
  CostUnit unit = CostUnit::kMillis;
  double fixed = 0;                        ///< cost of the layers that are not searched, before a and b
  std::vector<std::vector<double>> cost;   ///< [edge][op], before a and b; 0 for skip ops
  std::vector<std::vector<int>> launches;  ///< [edge][op] kernel launches; empty unless launch-bound
  int fixed_launches = 0;
  double a = 1;
  double b = 0;
  bool launch_bound = false;
  double c0 = 0, c1 = 0, p = 8;                 ///< T = ((a·S)^p + (c0 + c1·N)^p)^(1/p)
  std::vector<std::vector<bool>> extrapolated;  ///< [edge][op]; empty = none

  /// Total from the sum S before calibration and launches N.
  double Total(double sum, double launch_count) const;
  double Cost(std::span<const int> choice) const;
  double MinCost() const;  ///< least reachable total
  double MaxCost() const;
  /// E: expected total under probabilities p[edge][op] (proxyless.md §8, N6).
  double Expected(const std::vector<std::vector<double>>& p) const;
  /// ∂E/∂p[edge][op] at the same point.
  std::vector<std::vector<double>> ExpectedGradient(const std::vector<std::vector<double>>& p) const;
};

CostTable MacsCostTable(const SearchSpace& space);
CostTable ParamsCostTable(const SearchSpace& space);

/// `4.97 ms`, `50.1 M`.
std::string CostToString(CostUnit unit, double cost);

}  // namespace nas
