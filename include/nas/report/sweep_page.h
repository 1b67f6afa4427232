// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nas/latency/cost_table.h"
#include "nas/report/report.h"

namespace nas {

/// One network that a run of a sweep found.
struct SweepNetwork {
  std::string run;                 ///< last part of the run folder's path
  std::string target;              ///< as asked: "cpu=5ms"
  double predicted = 0;            ///< cost in the target's unit
  std::optional<double> measured;  ///< likewise
  double top1 = 0;                 ///< 0…1
  std::int64_t macs = 0;
  std::int64_t params = 0;
  bool met = false;
  bool on_front = false;  ///< no other network of its device is cheaper and as accurate
  std::string code;       ///< one digit per searched edge
};

/// One target over all seeds that finished.
struct SweepTarget {
  std::string label;
  std::string device;  ///< "cpu" of "cpu=5ms": targets of one device share a picture
  CostUnit unit = CostUnit::kMillis;
  int runs = 0;
  int met = 0;
  double top1_mean = 0, top1_sd = 0;
  double predicted_mean = 0;
  std::vector<double> agreement;  ///< per edge: share of runs with the most frequent op
};

struct SweepRun {
  std::string name;
  std::string state;   ///< finished, failed, running, …
  std::string detail;  ///< one sentence, "" = none
  std::string page;    ///< its own report, relative to the sweep's page; "" = none
};

/// What the page of a sweep is drawn from.
struct SweepPage {
  std::string name;
  std::vector<SweepRun> runs;
  std::vector<SweepTarget> targets;
  std::vector<SweepNetwork> networks;
};

/// One self-contained HTML page: accuracy and its spread over seeds per target, the Pareto front over all runs, how far
/// seeds agree edge by edge, every network, and what failed or is missing by name.
std::string SweepDocument(const SweepPage& sweep);
/// Each figure as SVG and CSV.
std::vector<ReportFile> SweepFiles(const SweepPage& sweep);
/// Writes the page; `data_dir` (may be empty) gets the files beside it. Throws kInput for places that cannot be
/// written.
void WriteSweepPage(const SweepPage& sweep, const std::filesystem::path& out, const std::filesystem::path& data_dir);

}  // namespace nas
