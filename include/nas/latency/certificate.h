// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nas/core/json.h"

namespace nas {

/// Errors of one predictor on the test items of one split (latency.md §11). Errors are percent, shares 0…1.
struct SplitReport {
  std::string split;
  int n = 0;  ///< test items
  double mape = 0;
  std::optional<std::array<double, 2>> mape_interval;  ///< 95 % bootstrap over items
  double median_ape = 0;
  double p95_ape = 0;
  double max_ape = 0;
  double bias = 1;  ///< geometric mean of prediction/truth
  double rmse_ms = 0;
  std::optional<double> rmse_pct;  ///< RMSE in percent of the mean truth
  double within_5pct = 0;
  double within_10pct = 0;
  std::optional<double> spearman;  ///< null below 30 items
  std::optional<double> kendall;
  /// Among items predicted ≤ target: the share that truly is, and the worst overshoot in percent. Without a target both
  /// over the 25, 50 and 75 % quantiles of truth.
  struct Regret {
    double share_met = 1;
    double worst_overshoot_pct = 0;
    friend bool operator==(const Regret&, const Regret&) = default;
  };
  std::optional<Regret> regret;
  std::optional<double> coverage_95;     ///< share of items inside their 95 % interval
  std::optional<double> mean_width_pct;  ///< mean half width of the interval, percent of the prediction
  std::optional<double> extrapolated_share;
  /// name ("macs_line", "scale_only", "constant") → MAPE and, from 30 items on, Spearman.
  struct Baseline {
    double mape = 0;
    std::optional<double> spearman;
    friend bool operator==(const Baseline&, const Baseline&) = default;
  };
  std::vector<std::pair<std::string, Baseline>> baselines;
  friend bool operator==(const SplitReport&, const SplitReport&) = default;
};

/// The report as the file and `predictor eval --json` spell it.
Json SplitToJson(const SplitReport& report);

/// How a table came from another device's (latency.md §10).
struct TransferRecord {
  std::string level;  ///< "scale", "affine", "prior", "ridge", "scratch"
  std::vector<std::string> source_tables;
  int items = 0;
  int outside_hull = 0;                                  ///< items outside the source's hull
  std::vector<std::pair<std::string, double>> loo_mape;  ///< level → leave-one-out MAPE, percent
  std::string forced;                                    ///< the differences that `--force` overrode, "" = none
  friend bool operator==(const TransferRecord&, const TransferRecord&) = default;
};

/// What is known about the error of a table, recomputed by `predictor eval`.
struct Certificate {
  std::string tool;
  std::string date;                    ///< `2026-11-22`
  std::optional<double> within_run;    ///< noise floor: median coefficient of variation inside a run
  std::optional<double> between_runs;  ///< the same between runs
  std::vector<SplitReport> splits;
  std::optional<TransferRecord> transfer;
  friend bool operator==(const Certificate&, const Certificate&) = default;
};

}  // namespace nas
