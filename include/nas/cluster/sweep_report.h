// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/cluster/results_index.h"

namespace nas {

/// What a sweep says about one target over all its finished runs.
struct TargetSummary {
  std::string target;
  std::string unit;
  int runs = 0;  ///< finished ones
  int met = 0;
  double top1_mean = 0, top1_sd = 0;  ///< sample standard deviation; 0 for a single run
  double predicted_mean = 0;
  std::vector<double> agreement;  ///< per edge: share of runs that chose the most frequent op; empty: no codes
  double agreement_mean = 0;
};

/// A network that no other one beats in both cost and accuracy, among all of the same unit and target name.
struct ParetoPoint {
  std::string device;  ///< "cpu" of "cpu=5ms"
  IndexedTarget network;
};

struct SweepReport {
  std::string sweep;
  int runs = 0;
  int finished = 0;
  std::vector<TargetSummary> targets;
  std::vector<ParetoPoint> pareto;      ///< by device, then cost
  std::vector<std::string> failed;      ///< "run: detail"
  std::vector<std::string> unfinished;  ///< "run: state"
};

SweepReport SummariseSweep(const std::string& sweep, const std::vector<RunStatus>& statuses,
                           const std::vector<IndexedTarget>& targets);

/// `nas.sweep/1`.
Json ToJson(const SweepReport& report);
std::string ToTable(const SweepReport& report, bool color);

}  // namespace nas
