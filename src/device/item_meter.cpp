// SPDX-License-Identifier: Apache-2.0
#include "nas/device/item_meter.h"

#include <algorithm>
#include <cmath>

#include "nas/core/stats.h"
#include "nas/device/sample_stats.h"

namespace nas {
namespace {

// A window lasts this many times a reading of the reference, which so costs at most an eighth of the time.
constexpr double kWindowPerReading = 8;

bool NarrowEnough(const std::vector<double>& series, const ProtocolOptions& options) {
  const auto interval = RobustMedianInterval(series, options.window, options.correlated_above);
  if (!interval) return false;
  return ((*interval)[1] - (*interval)[0]) / 2 <= options.ci_half_width * Median(series);
}

}  // namespace

// Samples of one item, and what the reference took around each.
struct ItemMeter::Samples {
  std::vector<double> all;
  std::vector<double> ratio;  // reading of the reference over its quiet level
  std::vector<double> quiet;  // samples between two quiet readings
  std::vector<double> quiet_readings;
  bool narrow = false;  // the stop rule was met
};

ItemMeter::ItemMeter(Engine& engine, const ProtocolOptions& options, QuietGauge* gauge)
    : engine_(engine), options_(options), gauge_(gauge) {}

ItemResult ItemMeter::Measure(const std::string& id, PreparedItem& item) {
  ItemResult result;
  result.id = id;
  const double start = engine_.Now();
  const double temperature = engine_.Temperature();
  const double megahertz = engine_.Megahertz();
  const int calls = WarmUp(item, result);
  const double limit = std::max(options_.min_seconds, options_.max_seconds - (engine_.Now() - start));

  for (int attempt = 0; attempt < 2; ++attempt) {
    result.flags.clear();
    const Samples samples = Collect(item, calls, limit);
    Summarise(samples, result);
    if (!result.Has("unstable")) break;
  }
  result.seconds = engine_.Now() - start;
  if (temperature > 0) result.temp_c = {temperature, engine_.Temperature()};
  if (megahertz > 0) result.mhz = {megahertz, engine_.Megahertz()};
  return result;
}

int ItemMeter::WarmUp(PreparedItem& item, ItemResult& result) {
  const double start = engine_.Now();
  const double limit = std::min(options_.warmup_max_seconds, options_.max_seconds / 2);
  double before = 0;
  int calls = 1;
  for (;;) {
    std::vector<double> window;
    const double window_start = engine_.Now();
    while (static_cast<int>(window.size()) < options_.window) {
      window.push_back(item.Run(calls));
      if (result.warmup_runs++ == 0) result.first_ms = window.front();
    }
    const double now = Median(window);
    const double call_seconds = (engine_.Now() - window_start) / (options_.window * calls);
    const double seconds = engine_.Now() - start;
    const bool agree = before > 0 && std::abs(now / before - 1) <= options_.warmup_agreement;
    if ((agree && seconds >= options_.warmup_min_seconds) || seconds >= limit) {
      return CallsPerSample(now, 1e3 * call_seconds);
    }
    before = now;
    calls = CallsPerSample(now, 1e3 * call_seconds);
  }
}

// A sample lasts `min_sample_ms` of the item's own time. The greatest number of samples fills the least time,
// neighbours of a block included.
int ItemMeter::CallsPerSample(double own_ms, double call_ms) const {
  const double own = options_.min_sample_ms / std::max(own_ms, 1e-6);
  const double whole = 1e3 * options_.min_seconds / options_.max_runs / std::max(call_ms, 1e-6);
  return std::max(1, static_cast<int>(std::ceil(std::max(own, whole))));
}

ItemMeter::Samples ItemMeter::Collect(PreparedItem& item, int calls, double seconds) {
  Samples samples;
  const double start = engine_.Now();
  double before = gauge_ ? gauge_->Read() : 0;
  for (;;) {
    // The reference has just used the caches: the next call of the item is not like the others.
    if (gauge_) item.Run(1);
    const std::vector<double>& kept = gauge_ ? samples.quiet : samples.all;
    const double least = gauge_ ? kWindowPerReading * gauge_->reading_seconds() : 0;
    const double window_start = engine_.Now();
    std::vector<double> window;
    while (static_cast<int>(window.size()) < options_.window || engine_.Now() - window_start < least) {
      window.push_back(item.Run(calls));
      if (engine_.Now() - start >= seconds) break;
      if (static_cast<int>(kept.size() + window.size()) >= options_.max_runs) break;
    }
    const double after = gauge_ ? gauge_->Read() : 0;
    const double ratio = gauge_ ? (before + after) / 2 / gauge_->level() : 1;
    samples.all.insert(samples.all.end(), window.begin(), window.end());
    samples.ratio.insert(samples.ratio.end(), window.size(), ratio);
    if (gauge_ && gauge_->IsQuiet(before) && gauge_->IsQuiet(after)) {
      samples.quiet.insert(samples.quiet.end(), window.begin(), window.end());
      samples.quiet_readings.insert(samples.quiet_readings.end(), {before, after});
    }
    before = after;

    const double passed = engine_.Now() - start;
    const int n = static_cast<int>(kept.size());
    samples.narrow = n >= options_.min_runs && passed >= options_.min_seconds && NarrowEnough(kept, options_);
    if (samples.narrow || n >= options_.max_runs || passed >= seconds) return samples;
  }
}

void SetStatistics(const std::vector<double>& samples, const ProtocolOptions& options, ItemResult* result) {
  result->n = static_cast<int>(samples.size());
  result->min = Quantile(samples, 0);
  result->p10 = Quantile(samples, 0.10);
  result->p25 = Quantile(samples, 0.25);
  result->median = Median(samples);
  result->p75 = Quantile(samples, 0.75);
  result->p90 = Quantile(samples, 0.90);
  result->p99 = Quantile(samples, 0.99);
  result->mean = Mean(samples);
  result->std = StdDev(samples);
  result->mad = MedianAbsoluteDeviation(samples);
  const auto interval = RobustMedianInterval(samples, options.window, options.correlated_above);
  result->ci = interval.value_or(std::array<double, 2>{result->min, Quantile(samples, 1)});
  result->outlier_share = OutlierShare(samples);
  const bool odd = result->outlier_share > options.outlier_share || IsBimodal(samples, options.mode_gap);
  if (odd) result->Flag("unstable");
}

void ItemMeter::Summarise(const Samples& samples, ItemResult& result) const {
  std::vector<double> kept = samples.all;
  if (gauge_) {
    result.quiet_share = static_cast<double>(samples.quiet.size()) / static_cast<double>(samples.all.size());
    if (static_cast<int>(samples.quiet.size()) >= options_.min_runs / 2) {
      kept = samples.quiet;
      result.reference_ms = Median(samples.quiet_readings);
    } else {
      // No quiet spell: what slowed the reference down is taken out of the samples.
      for (std::size_t i = 0; i < kept.size(); ++i) kept[i] /= std::max(1.0, samples.ratio[i]);
      result.reference_ms = gauge_->level();
    }
  }
  SetStatistics(kept, options_, &result);
  if (!samples.narrow) result.Flag("ci_not_reached");
}

}  // namespace nas
