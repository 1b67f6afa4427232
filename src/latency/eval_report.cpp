// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "nas/core/error.h"
#include "nas/core/stats.h"
#include "nas/latency/evaluation.h"

namespace nas {
namespace {

constexpr size_t kRankItems = 30;  // below, rank correlations say nothing

std::optional<double> IfFinite(double value) {
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

double Share(const std::vector<double>& errors, double limit) {
  // An error of 5 % that rounding made 5.0000000001 % counts as inside.
  const auto inside = std::count_if(errors.begin(), errors.end(), [&](double e) { return e <= limit + 1e-9; });
  return static_cast<double>(inside) / static_cast<double>(errors.size());
}

SplitReport::Regret MeasureRegret(const std::vector<double>& truth, const std::vector<double>& predicted,
                                  double target_ms) {
  std::vector<double> targets = {target_ms};
  if (!(target_ms > 0)) targets = {Quantile(truth, 0.25), Quantile(truth, 0.5), Quantile(truth, 0.75)};
  SplitReport::Regret regret;
  double chosen = 0, met = 0;
  for (double target : targets) {
    for (size_t i = 0; i < truth.size(); ++i) {
      if (predicted[i] > target) continue;
      chosen += 1;
      met += truth[i] <= target ? 1 : 0;
      regret.worst_overshoot_pct = std::max(regret.worst_overshoot_pct, 100 * (truth[i] / target - 1));
    }
  }
  regret.share_met = chosen > 0 ? met / chosen : 1;
  return regret;
}

}  // namespace

SplitReport MakeReport(const std::string& split, const std::vector<EvalItem>& items,
                       const std::vector<EvalBaseline>& baselines, double target_ms, std::uint64_t seed) {
  if (items.empty()) ThrowInput("split " + split + " leaves nothing to test; choose another split");
  const double n = static_cast<double>(items.size());
  std::vector<double> truth, predicted, errors;
  double log_ratio = 0, squares = 0, covered = 0, width = 0, extrapolated = 0;
  for (const auto& item : items) {
    truth.push_back(item.truth);
    predicted.push_back(item.predicted);
    errors.push_back(100 * std::abs(item.predicted / item.truth - 1));
    log_ratio += std::log(item.predicted / item.truth) / n;
    squares += (item.predicted - item.truth) * (item.predicted - item.truth) / n;
    covered += item.truth >= item.interval[0] && item.truth <= item.interval[1] ? 1 : 0;
    width += 100 * (item.interval[1] - item.interval[0]) / 2 / item.predicted / n;
    extrapolated += item.extrapolated_share;
  }
  SplitReport report;
  report.split = split;
  report.n = static_cast<int>(items.size());
  report.mape = Mean(errors);
  const auto [low, high] = BootstrapMeanInterval(errors, seed);
  report.mape_interval = {low, high};
  report.median_ape = Median(errors);
  report.p95_ape = Quantile(errors, 0.95);
  report.max_ape = *std::max_element(errors.begin(), errors.end());
  report.bias = std::exp(log_ratio);
  report.rmse_ms = std::sqrt(squares);
  report.rmse_pct = 100 * report.rmse_ms / Mean(truth);
  report.within_5pct = Share(errors, 5);
  report.within_10pct = Share(errors, 10);
  if (items.size() >= kRankItems) {
    report.spearman = IfFinite(Spearman(predicted, truth));
    report.kendall = IfFinite(KendallTauB(predicted, truth));
  }
  report.regret = MeasureRegret(truth, predicted, target_ms);
  report.coverage_95 = covered / n;
  report.mean_width_pct = width;
  report.extrapolated_share = extrapolated / n;
  for (const auto& baseline : baselines) {
    SplitReport::Baseline b;
    for (size_t i = 0; i < items.size(); ++i) b.mape += 100 * std::abs(baseline.predicted[i] / truth[i] - 1) / n;
    if (items.size() >= kRankItems) b.spearman = IfFinite(Spearman(baseline.predicted, truth));
    report.baselines.emplace_back(baseline.name, b);
  }
  return report;
}

}  // namespace nas
