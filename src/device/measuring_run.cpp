// SPDX-License-Identifier: Apache-2.0
#include "nas/device/measuring_run.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/stats.h"
#include "nas/core/text.h"
#include "nas/device/item_meter.h"

namespace nas {
namespace {

constexpr std::int64_t kUnknownCacheBytes = std::int64_t{32} << 20;
constexpr double kPauseStep = 1;  // seconds between two looks at the thermometer
constexpr int kRevisitsPerItem = 2;
constexpr int kLeastSamples = 5;
constexpr std::int64_t kMostCopies = 32;

double MedianNoise(const std::vector<ItemResult>& results) {
  std::vector<double> noise;
  for (const ItemResult& result : results) noise.push_back(result.noise());
  return noise.empty() ? 0 : Median(noise);
}

// State of one call of `MeasuringRun::Measure`.
class Session {
 public:
  Session(Engine& engine, const ProtocolOptions& options, const MeasureItem& reference,
          const std::vector<MeasureItem>& items, const MeasuringHooks& hooks)
      : engine_(engine),
        options_(options),
        items_(items),
        hooks_(hooks),
        start_(engine.Now()),
        start_temperature_(engine.Temperature()),
        start_megahertz_(engine.Megahertz()),
        reference_(engine.Prepare(reference, LayoutFor(engine, options))),
        gauge_(engine, *reference_, options_),
        meter_(engine, options_, &gauge_) {}

  /// `fresh`: no item has a result from an earlier run; else who has them all judges their noise.
  MeasuringReport Run(const std::vector<int>& order, bool fresh) {
    gauge_.Settle(options_.settle_seconds);
    first_look_ = good_look_ = last_look_ = gauge_.Look();
    total_ = static_cast<int>(order.size());
    int since_look = 0;
    for (const int index : order) {
      if (Ended()) break;
      Tell(index);
      Time(index, /*retimed=*/false);
      since_good_.push_back(index);
      if (++since_look == options_.reference_every) {
        since_look = 0;
        GuardDrift();
      }
    }
    if (since_look > 0 && !Ended()) GuardDrift();
    Revisit();
    return Report(fresh);
  }

 private:
  double Passed() const { return engine_.Now() - start_; }

  bool Ended() {
    if (gave_up_) return true;
    if (!report_.stopped && hooks_.stop && hooks_.stop()) report_.stopped = true;
    if (options_.deadline_seconds > 0 && Passed() >= options_.deadline_seconds) report_.deadline = true;
    return report_.stopped || report_.deadline;
  }

  void Tell(int index) const {
    if (!hooks_.on_progress) return;
    const auto done = static_cast<int>(results_.size());
    const double left = done > 0 ? Passed() / done * (total_ - done) : -1;
    hooks_.on_progress(done, total_, items_[index].id, left);
  }

  ItemResult MeasureNow(int index) {
    const MeasureItem& item = items_[index];
    ItemResult result;
    try {
      const std::unique_ptr<PreparedItem> prepared = engine_.Prepare(item, LayoutFor(engine_, options_));
      result = meter_.Measure(item.id, *prepared);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput) throw;
      result.id = item.id;
      result.error = error.what();
    }
    if (!options_.chain && item.kind == MeasureItem::Kind::kBlock) result.Flag("isolated");
    return result;
  }

  void Keep(int index, ItemResult result, bool retimed) {
    if (retimed) {
      result.Flag("retimed");
      ++report_.retimed;
    }
    if (hooks_.on_result) hooks_.on_result(result);
    results_[index] = std::move(result);
  }

  void Time(int index, bool retimed) { Keep(index, MeasureNow(index), retimed); }

  bool Moved() const { return last_look_ > (1 + options_.drift_limit) * good_look_; }

  // A slower reference: wait, and time again what was measured since it was last as fast as at the start.
  void GuardDrift() {
    last_look_ = gauge_.Look();
    // A faster one: the start was the disturbed moment. Its items are found again by their reference readings.
    if (last_look_ < (1 - options_.drift_limit) * good_look_) good_look_ = last_look_;
    while (Moved()) {
      if (report_.pauses == options_.max_pauses) {
        report_.too_noisy =
            StrCat("the reference network moved by more than ", Fixed(100 * options_.drift_limit, 0), " % after ",
                   report_.pauses, " pauses, from ", Fixed(good_look_, 3), " to ", Fixed(last_look_, 3), " ms");
        gave_up_ = !options_.allow_noisy;
        break;
      }
      ++report_.pauses;
      Pause();
      for (const int index : since_good_) {
        if (Ended()) return;
        Time(index, /*retimed=*/true);
      }
      last_look_ = gauge_.Look();
    }
    since_good_.clear();
  }

  void Pause() {
    const double start = engine_.Now();
    while (engine_.Now() - start < options_.max_pause_seconds) {
      engine_.Sleep(std::min(kPauseStep, options_.max_pause_seconds));
      if (hooks_.stop && hooks_.stop()) return;
      const bool cool = start_temperature_ <= 0 || engine_.Temperature() <= start_temperature_;
      if (cool && gauge_.Look() <= (1 + options_.drift_limit) * good_look_) return;
    }
  }

  // How much an item would gain from being timed again; 0 = nothing.
  double Doubt(const ItemResult& result) const {
    if (!result.error.empty()) return 0;
    const double moved = result.reference_ms / gauge_.level() - 1;
    const bool few_quiet = result.quiet_share < 0.5 && result.Has("ci_not_reached");
    if (few_quiet) return 2 - result.quiet_share;
    if (moved > options_.quiet_band) return moved;
    return result.Has("unstable") ? result.noise() : 0;
  }

  void Revisit() {
    std::map<int, int> visits;
    while (!Ended() && Passed() < options_.revisit_seconds) {
      int worst = -1;
      double doubt = 0;
      for (const auto& [index, result] : results_) {
        const double now = Doubt(result);
        if (now > doubt && visits[index] < kRevisitsPerItem) {
          doubt = now;
          worst = index;
        }
      }
      if (worst < 0) return;
      ++visits[worst];
      Tell(worst);
      ItemResult again = MeasureNow(worst);
      if (again.error.empty() && Doubt(again) < doubt) Keep(worst, std::move(again), /*retimed=*/true);
    }
  }

  MeasuringReport Report(bool fresh) {
    std::vector<ItemResult> measured;
    for (const auto& [index, result] : results_) {
      if (!result.error.empty()) {
        ++report_.errors;
        continue;
      }
      ++report_.done;
      report_.unstable += result.Has("unstable");
      measured.push_back(result);
    }
    report_.seconds = Passed();
    report_.reference_ms = gauge_.level();
    report_.reference_drift = last_look_ / first_look_ - 1;
    report_.noise_floor = MedianNoise(measured);
    if (start_temperature_ > 0) report_.temp_c = {start_temperature_, engine_.Temperature()};
    if (start_megahertz_ > 0) report_.mhz = {start_megahertz_, engine_.Megahertz()};
    if (fresh && report_.too_noisy.empty()) report_.too_noisy = NoiseProblem(measured, options_);
    return report_;
  }

  Engine& engine_;
  const ProtocolOptions& options_;
  const std::vector<MeasureItem>& items_;
  const MeasuringHooks& hooks_;
  double start_;
  double start_temperature_;
  double start_megahertz_;
  std::unique_ptr<PreparedItem> reference_;
  QuietGauge gauge_;
  ItemMeter meter_;

  int total_ = 0;
  double first_look_ = 0;
  double good_look_ = 0;
  double last_look_ = 0;
  std::vector<int> since_good_;
  std::map<int, ItemResult> results_;
  bool gave_up_ = false;
  MeasuringReport report_;
};

}  // namespace

MeasuringRun::MeasuringRun(Engine& engine, const ProtocolOptions& options, MeasureItem reference)
    : engine_(engine), options_(options), reference_(std::move(reference)) {}

MeasuringReport MeasuringRun::Measure(const std::vector<MeasureItem>& items, const std::set<std::string>& done,
                                      const MeasuringHooks& hooks) {
  if (SelfMeasuring* device = engine_.self_measuring()) {
    return device->Measure(options_, reference_, items, done, hooks);
  }
  std::vector<int> order;
  for (const int index : MeasuringOrder(static_cast<int>(items.size()), options_.order_seed)) {
    if (!done.contains(items[index].id)) order.push_back(index);
  }
  return Session(engine_, options_, reference_, items, hooks).Run(order, done.empty());
}

std::string NoiseProblem(const std::vector<ItemResult>& results, const ProtocolOptions& options) {
  // Of a handful of samples nobody knows the spread: their std is no sign of quiet.
  const auto doubtful = std::count_if(results.begin(), results.end(), [&](const ItemResult& result) {
    return result.Has("unstable") || result.n < std::min(kLeastSamples, options.min_runs);
  });
  if (static_cast<double>(doubtful) > options.max_unstable_share * static_cast<double>(results.size())) {
    return StrCat(doubtful, " of ", results.size(), " items are unstable or have under ", kLeastSamples, " samples");
  }
  const double floor = MedianNoise(results);
  return floor > options.max_noise_floor ? StrCat("the noise floor is ", Fixed(100 * floor, 1), " %") : "";
}

RunLayout LayoutFor(const Engine& engine, const ProtocolOptions& options) {
  RunLayout layout;
  layout.chain = options.chain;
  const std::int64_t cache = engine.CacheBytes() > 0 ? engine.CacheBytes() : kUnknownCacheBytes;
  // Behind more than the cache holds everything is cold alike.
  const std::int64_t cold = cache + cache / 4;
  layout.rotate_bytes = options.rotate_bytes > 0 ? std::min(options.rotate_bytes, cold) : cold;
  layout.seed = options.order_seed;
  return layout;
}

int CopiesFor(const RunLayout& layout, std::int64_t footprint) {
  const std::int64_t copies = layout.rotate_bytes / std::max<std::int64_t>(footprint, 1);
  return static_cast<int>(std::clamp<std::int64_t>(copies, 1, kMostCopies));
}

std::vector<int> MeasuringOrder(int n, std::uint64_t seed) {
  CounterRng rng(seed);
  const std::vector<std::int64_t> order = rng.Permutation(n);
  return {order.begin(), order.end()};
}

}  // namespace nas
