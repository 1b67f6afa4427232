// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "nas/core/rng.h"
#include "nas/device/engine.h"

namespace nas {

/// A spell in which a simulated device runs slower by a factor.
struct SlowSpell {
  double from_s = 0;
  double to_s = 0;
  double factor = 1;
};

/// What a simulated device is like. Everything that the protocol guards against can be switched on; nothing is by
/// default.
struct SimulatedDevice {
  /// True cost of one call, ms. Empty: 0.02 + 2e-9·MACs-like size of the keys.
  std::function<double(const MeasureItem& item)> cost_ms;
  double noise = 0;          ///< σ of ln(time) from call to call
  double correlation = 0;    ///< lag-1 correlation of that noise, from one `Run` to the next
  double outlier_share = 0;  ///< of the calls take `outlier_factor` times as long
  double outlier_factor = 5;
  double slow_mode_share = 0;  ///< of the `Run`s are in a second mode
  double slow_mode_factor = 1.3;
  std::set<std::string> odd_items;  ///< items to which outliers and the second mode apply; empty = all
  int cold_calls = 0;               ///< the first calls of an item are slower, fading out linearly
  double cold_factor = 3;
  double overhead_ms = 0;     ///< of the clock, added once per `Run`
  double hot_factor = 1;      ///< cost without rotation: weights and input are still in the cache
  double context_factor = 1;  ///< cost between neighbours over the cost alone
  std::int64_t cache_bytes = 1 << 20;
  double drift_per_s = 0;      ///< slower by this share per second, without end
  double heat_per_s = 0;       ///< °C per busy second
  double cool_per_s = 0;       ///< °C per second of sleep
  double throttle_at_c = 1e9;  ///< from here on …
  double throttle_factor = 1;  ///< … calls take this many times as long
  std::vector<SlowSpell> spells;
  std::set<std::string> failing;  ///< ids that the engine refuses to prepare
  std::string model = "simulated device";
  std::uint64_t seed = 1;
};

/// A deterministic fake with its own clock: hours of measuring take milliseconds. Marks its tables as emulated.
class SimulatedEngine final : public Engine {
 public:
  explicit SimulatedEngine(SimulatedDevice device, const EngineOptions& options = {});
  ~SimulatedEngine() override;

  Json Identity() const override;
  Json Recorded() const override;
  std::int64_t CacheBytes() const override { return device_.cache_bytes; }
  std::unique_ptr<PreparedItem> Prepare(const MeasureItem& item, const RunLayout& layout) override;
  double Now() const override { return now_s_; }
  void Sleep(double seconds) override;
  double Temperature() const override;
  double Megahertz() const override { return 0; }

  /// True cost of an item: what a perfect measurement would find.
  double Truth(const MeasureItem& item) const;
  /// Ids in the order in which they were prepared, and how often each was run.
  const std::vector<std::string>& prepared() const { return prepared_; }
  int calls(const std::string& id) const;

 private:
  class Item;
  double Factor() const;
  void Pass(double seconds);

  SimulatedDevice device_;
  EngineOptions options_;
  CounterRng rng_;
  double now_s_ = 0;
  double heat_ = 0;
  double state_ = 0;  // of the correlated noise
  std::vector<std::string> prepared_;
  std::map<std::string, int> calls_;
};

}  // namespace nas
