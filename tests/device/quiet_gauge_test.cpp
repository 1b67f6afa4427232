// SPDX-License-Identifier: Apache-2.0
#include "nas/device/quiet_gauge.h"

#include <cmath>

#include "nas/device/item_meter.h"
#include "nas/device/simulated_engine.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

MeasureItem Net(const std::string& id) {
  MeasureItem item;
  item.id = id;
  return item;
}

// Neighbours take turns: 0.4 s of every second everything takes 1.5 times as long.
SimulatedDevice BusyMachine() {
  SimulatedDevice device;
  device.cost_ms = [](const MeasureItem& item) { return item.id == "reference" ? 1.5 : 4.0; };
  device.noise = 0.01;
  for (int i = 0; i < 100; ++i) device.spells.push_back({i + 0.3, i + 0.7, 1.5});
  return device;
}

}  // namespace

TEST_CASE("the quiet level is the speed between the disturbances") {
  const ProtocolOptions options;
  SimulatedEngine engine(BusyMachine());
  const auto reference = engine.Prepare(Net("reference"), RunLayout{});
  QuietGauge gauge(engine, *reference, options);
  gauge.Settle(2);
  CHECK(gauge.level() == Approx(1.5).epsilon(0.02));
  CHECK(gauge.IsQuiet(1.5));
  CHECK_FALSE(gauge.IsQuiet(1.5 * 1.2));
  CHECK(gauge.Look() == Approx(1.5).epsilon(0.02));
}

TEST_CASE("a busy start is forgiven once a quiet spell was seen") {
  SimulatedDevice device = BusyMachine();
  device.spells = {{0, 3, 1.5}};
  const ProtocolOptions options;
  SimulatedEngine engine(device);
  const auto reference = engine.Prepare(Net("reference"), RunLayout{});
  QuietGauge gauge(engine, *reference, options);
  gauge.Settle(2);
  CHECK(gauge.level() == Approx(2.25).epsilon(0.03));
  engine.Sleep(2);
  gauge.Settle(2);
  CHECK(gauge.level() == Approx(1.5).epsilon(0.03));
}

TEST_CASE("samples count when the reference was quiet before and after; without that the result is off") {
  const SimulatedDevice device = BusyMachine();
  ProtocolOptions options;
  double with = 0, without = 0;
  int disturbed = 0;
  for (int i = 0; i < 10; ++i) {
    SimulatedDevice one = device;
    one.seed = 10 + i;
    SimulatedEngine engine(one);
    engine.Sleep(0.05 * i);
    const auto reference = engine.Prepare(Net("reference"), RunLayout{});
    const auto item = engine.Prepare(Net("net"), RunLayout{});
    QuietGauge gauge(engine, *reference, options);
    gauge.Settle(1);
    const ItemResult good = ItemMeter(engine, options, &gauge).Measure("net", *item);
    const ItemResult bad = ItemMeter(engine, options, nullptr).Measure("net", *item);
    with = std::max(with, std::abs(good.mean / 4 - 1));
    without = std::max(without, std::abs(bad.mean / 4 - 1));
    CHECK(good.reference_ms == Approx(1.5).epsilon(0.03));
    disturbed += good.quiet_share < 1;
  }
  CHECK(disturbed >= 5);
  CHECK(with < 0.02);
  CHECK(without > 0.05);
}

TEST_CASE("without any quiet spell the reference's slowdown is taken out of the samples") {
  SimulatedDevice device = BusyMachine();
  device.spells = {{2, 1e9, 1.4}};
  const ProtocolOptions options;
  SimulatedEngine engine(device);
  const auto reference = engine.Prepare(Net("reference"), RunLayout{});
  QuietGauge gauge(engine, *reference, options);
  gauge.Settle(1.5);
  engine.Sleep(1);
  const auto item = engine.Prepare(Net("net"), RunLayout{});
  const ItemResult result = ItemMeter(engine, options, &gauge).Measure("net", *item);
  CHECK(result.quiet_share == 0);
  CHECK(result.Has("ci_not_reached"));
  CHECK(result.median == Approx(4).epsilon(0.03));
}
