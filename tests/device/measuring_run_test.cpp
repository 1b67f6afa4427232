// SPDX-License-Identifier: Apache-2.0
#include "nas/device/measuring_run.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "nas/core/text.h"
#include "nas/device/simulated_engine.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

constexpr int kItems = 60;

std::vector<MeasureItem> Items(int n = kItems, MeasureItem::Kind kind = MeasureItem::Kind::kNet) {
  std::vector<MeasureItem> items;
  for (int i = 0; i < n; ++i) {
    MeasureItem item;
    item.id = StrCat("item ", i);
    item.kind = kind;
    item.keys = {StrCat(i)};
    items.push_back(item);
  }
  return items;
}

MeasureItem Reference() {
  MeasureItem item;
  item.id = "reference";
  item.keys = {"0"};
  return item;
}

SimulatedDevice Device() {
  SimulatedDevice device;
  device.cost_ms = [](const MeasureItem& item) { return 3 + 0.05 * std::stoi(item.keys[0]); };
  device.noise = 0.003;
  return device;
}

struct Outcome {
  MeasuringReport report;
  std::map<std::string, ItemResult> results;  // the last of each id
  std::vector<std::string> order;             // of all results
  double worst = 0;                           // relative error over all items
};

Outcome Run(const SimulatedDevice& device, const ProtocolOptions& options, const std::vector<MeasureItem>& items,
            const std::set<std::string>& done = {}) {
  SimulatedEngine engine(device);
  Outcome outcome;
  MeasuringHooks hooks;
  hooks.on_result = [&](const ItemResult& result) {
    outcome.results[result.id] = result;
    outcome.order.push_back(result.id);
  };
  outcome.report = MeasuringRun(engine, options, Reference()).Measure(items, done, hooks);
  for (const MeasureItem& item : items) {
    const auto found = outcome.results.find(item.id);
    if (found == outcome.results.end() || !found->second.error.empty()) continue;
    outcome.worst = std::max(outcome.worst, std::abs(found->second.median / engine.Truth(item) - 1));
  }
  return outcome;
}

// Hot after 20 busy seconds; then everything takes 4.5 % longer, which no quiet band would notice.
SimulatedDevice Throttling() {
  SimulatedDevice device = Device();
  device.heat_per_s = 1;
  device.cool_per_s = 2;
  device.throttle_at_c = 40 + 20;
  device.throttle_factor = 1.045;
  return device;
}

}  // namespace

TEST_CASE("a quiet device: every item is measured once, right, in shuffled order") {
  const Outcome outcome = Run(Device(), {}, Items());
  CHECK(outcome.report.done == kItems);
  CHECK(outcome.order.size() == kItems);
  CHECK(outcome.worst < 0.01);
  CHECK(outcome.report.pauses == 0);
  CHECK(outcome.report.too_noisy.empty());
  CHECK(std::abs(outcome.report.reference_drift) < 0.01);
  CHECK_FALSE(std::is_sorted(outcome.order.begin(), outcome.order.end()));
}

TEST_CASE("§9.9 the order is a permutation that the stored seed decides") {
  ProtocolOptions options;
  const Outcome first = Run(Device(), options, Items());
  CHECK(first.order == Run(Device(), options, Items()).order);
  options.order_seed = 8;
  CHECK(first.order != Run(Device(), options, Items()).order);
  std::vector<int> order = MeasuringOrder(100, 3);
  std::sort(order.begin(), order.end());
  for (int i = 0; i < 100; ++i) CHECK(order[i] == i);
}

TEST_CASE("§9.9 shuffling keeps a slow trend out of the comparison of neighbours") {
  // The reference keeps up with the trend nowhere near 3 %, but big items would all come last.
  const std::vector<int> order = MeasuringOrder(kItems, ProtocolOptions{}.order_seed);
  double covariance = 0;
  for (int i = 0; i < kItems; ++i) covariance += (i - kItems / 2.0) * (order[i] - kItems / 2.0);
  CHECK(std::abs(covariance) / (kItems * kItems * kItems / 12.0) < 0.35);
}

TEST_CASE("items with a result are left out, and the rest keeps its order") {
  const Outcome all = Run(Device(), {}, Items());
  const std::set<std::string> done(all.order.begin(), all.order.begin() + 25);
  const Outcome rest = Run(Device(), {}, Items(), done);
  CHECK(rest.order == std::vector<std::string>(all.order.begin() + 25, all.order.end()));
}

TEST_CASE("§9.8 a hot device is waited for, and what was measured since the last good reference is timed again") {
  const Outcome guarded = Run(Throttling(), {}, Items());
  CHECK(guarded.report.pauses >= 1);
  CHECK(guarded.report.retimed >= 1);
  CHECK(guarded.report.done == kItems);
  CHECK(guarded.order.size() > kItems);

  ProtocolOptions unguarded;
  unguarded.reference_every = 1000000;
  unguarded.max_pauses = 0;
  unguarded.allow_noisy = true;
  const Outcome blind = Run(Throttling(), unguarded, Items());
  CHECK(blind.worst > 0.04);
  // Items before a pause that failed in the end may stay hot; all that were timed again in time are right.
  int right = 0, blind_right = 0;
  SimulatedEngine truth(Throttling());
  for (const MeasureItem& item : Items()) {
    right += std::abs(guarded.results.at(item.id).median / truth.Truth(item) - 1) < 0.01;
    blind_right += std::abs(blind.results.at(item.id).median / truth.Truth(item) - 1) < 0.01;
  }
  CHECK(right > blind_right + 10);
}

TEST_CASE("§9.8 the pause ends with the start temperature, or after its cap") {
  SimulatedDevice device = Throttling();
  ProtocolOptions options;
  const Outcome waited = Run(device, options, Items(25));
  REQUIRE(waited.report.pauses >= 1);
  CHECK(waited.worst < 0.01);
  device.cool_per_s = 0;
  options.max_pause_seconds = 5;
  const Outcome capped = Run(device, options, Items());
  CHECK(capped.report.seconds < 200);
  CHECK_FALSE(capped.report.too_noisy.empty());
}

TEST_CASE("§9.8 more than three pauses end the run, unless noise is allowed") {
  SimulatedDevice device = Device();
  device.spells = {{25, 1e9, 1.045}};
  ProtocolOptions options;
  options.max_pause_seconds = 15;
  const Outcome refused = Run(device, options, Items());
  CHECK(refused.report.pauses == 3);
  CHECK_FALSE(refused.report.too_noisy.empty());
  CHECK(refused.report.done < kItems);
  options.allow_noisy = true;
  const Outcome allowed = Run(device, options, Items());
  CHECK(allowed.report.pauses == 3);
  CHECK_FALSE(allowed.report.too_noisy.empty());
  CHECK(allowed.report.done == kItems);
}

TEST_CASE("§9.8 a reference that gets faster moves the start, without a pause") {
  SimulatedDevice device = Device();
  device.spells = {{0, 12, 1.2}};
  ProtocolOptions options;
  options.revisit_seconds = 1000;
  const Outcome outcome = Run(device, options, Items());
  CHECK(outcome.report.pauses == 0);
  CHECK(outcome.report.too_noisy.empty());
  // The items of the slow start were found by their reference readings and timed again.
  CHECK(outcome.report.retimed >= 5);
  CHECK(outcome.worst < 0.01);
}

TEST_CASE("§9.8 too many unstable items, or too high a noise floor, are told") {
  SimulatedDevice device = Device();
  device.slow_mode_share = 0.4;
  for (int i = 0; i < kItems; i += 3) device.odd_items.insert(StrCat("item ", i));
  const Outcome unstable = Run(device, {}, Items());
  CHECK(unstable.report.unstable >= kItems / 4);
  CHECK(unstable.report.too_noisy.find("unstable") != std::string::npos);

  device = Device();
  for (int i = 0; i < kItems; i += 10) device.odd_items.insert(StrCat("item ", i));
  device.slow_mode_share = 0.4;
  CHECK(Run(device, {}, Items()).report.too_noisy.empty());

  device = Device();
  device.noise = 0.08;
  ProtocolOptions options;
  options.quiet_band = 1;
  options.drift_limit = 1;
  const Outcome noisy = Run(device, options, Items());
  CHECK(noisy.report.noise_floor == Approx(0.08).epsilon(0.2));
  CHECK(noisy.report.too_noisy.find("noise floor") != std::string::npos);
}

TEST_CASE("§9.5 blocks run between their neighbours and come round cold; the modes differ and are told apart") {
  SimulatedDevice device = Device();
  device.hot_factor = 0.7;
  device.context_factor = 1.1;
  const auto blocks = Items(10, MeasureItem::Kind::kBlock);
  ProtocolOptions options;
  const Outcome chain = Run(device, options, blocks);
  CHECK(chain.worst < 0.01);
  for (const auto& [id, result] : chain.results) CHECK_FALSE(result.Has("isolated"));

  options.rotate_bytes = 1000;  // smaller than the cache
  CHECK(Run(device, options, blocks).worst == Approx(0.3).epsilon(0.05));

  // More than cold is not to be had.
  SimulatedEngine engine(device);
  options.rotate_bytes = std::int64_t{1} << 50;
  CHECK(LayoutFor(engine, options).rotate_bytes == engine.CacheBytes() + engine.CacheBytes() / 4);

  options.rotate_bytes = 0;
  options.chain = false;
  const Outcome isolated = Run(device, options, blocks);
  CHECK(isolated.worst == Approx(1 - 0.7 / 1.1).epsilon(0.05));
  for (const auto& [id, result] : isolated.results) CHECK(result.Has("isolated"));
}

TEST_CASE("§9.5 as many copies of a chain take turns as the rotation holds, and at least one") {
  RunLayout layout;
  layout.rotate_bytes = 10000;
  CHECK(CopiesFor(layout, 3000) == 3);
  CHECK(CopiesFor(layout, 20000) == 1);
  CHECK(CopiesFor(layout, 1) == 32);
}

TEST_CASE("§9.8 what was left out because it is done is judged by those who know it, not by the run") {
  SimulatedDevice device = Device();
  device.noise = 0.08;
  ProtocolOptions options;
  options.quiet_band = 1;
  options.drift_limit = 1;
  CHECK(Run(device, options, Items(), {"item 3"}).report.too_noisy.empty());
}

TEST_CASE("§9.10 the deadline ends the run with what is measured") {
  ProtocolOptions options;
  options.deadline_seconds = 20;
  const Outcome outcome = Run(Device(), options, Items());
  CHECK(outcome.report.deadline);
  CHECK(outcome.report.done > 10);
  CHECK(outcome.report.done < kItems);
  CHECK(outcome.report.seconds < 22);
}

TEST_CASE("§9.10 a wish to stop is heard between items") {
  SimulatedEngine engine(Device());
  int asked = 0;
  MeasuringHooks hooks;
  hooks.stop = [&] { return ++asked > 7; };
  const MeasuringReport report = MeasuringRun(engine, {}, Reference()).Measure(Items(), {}, hooks);
  CHECK(report.stopped);
  CHECK(report.done == 7);
}

TEST_CASE("§9.11 the noise floor is the median of std/mean over the items") {
  SimulatedDevice device = Device();
  device.noise = 0.02;
  CHECK(Run(device, {}, Items()).report.noise_floor == Approx(0.02).epsilon(0.15));
}

TEST_CASE("an item that the engine cannot run is told; the run goes on") {
  SimulatedDevice device = Device();
  device.failing = {"item 5"};
  const Outcome outcome = Run(device, {}, Items());
  CHECK(outcome.report.errors == 1);
  CHECK(outcome.report.done == kItems - 1);
  CHECK(outcome.results.at("item 5").error.find("item 5") != std::string::npos);
}

TEST_CASE("progress counts up to the number of items") {
  SimulatedEngine engine(Device());
  int calls = 0, last = -1;
  MeasuringHooks hooks;
  hooks.on_progress = [&](int done, int total, const std::string& id, double) {
    ++calls;
    CHECK(total == 10);
    CHECK(done > last);
    CHECK_FALSE(id.empty());
    last = done;
  };
  MeasuringRun(engine, {}, Reference()).Measure(Items(10), {}, hooks);
  CHECK(calls == 10);
}

TEST_CASE("many items with a handful of samples are as little a figure as unstable ones") {
  std::vector<ItemResult> results(10);
  for (ItemResult& result : results) {
    result.n = 20;
    result.mean = 1;
  }
  CHECK(NoiseProblem(results, {}).empty());
  for (int i = 0; i < 3; ++i) results[i].n = 4;
  CHECK(NoiseProblem(results, {}).find("3 of 10 items") != std::string::npos);
  results[0].n = 5;
  CHECK(NoiseProblem(results, {}).empty());
}
