// SPDX-License-Identifier: Apache-2.0
#include "nas/device/item_meter.h"

#include <cmath>
#include <limits>

#include "nas/core/stats.h"
#include "nas/device/simulated_engine.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

MeasureItem Net(const std::string& id = "net") {
  MeasureItem item;
  item.id = id;
  return item;
}

SimulatedDevice Device(double cost_ms) {
  SimulatedDevice device;
  device.cost_ms = [cost_ms](const MeasureItem&) { return cost_ms; };
  return device;
}

ItemResult Measure(const SimulatedDevice& device, const ProtocolOptions& options, SimulatedEngine* engine = nullptr) {
  SimulatedEngine own(device);
  SimulatedEngine& used = engine ? *engine : own;
  const auto item = used.Prepare(Net(), RunLayout{});
  return ItemMeter(used, options, nullptr).Measure("net", *item);
}

}  // namespace

TEST_CASE("a quiet item is known exactly, with all its figures") {
  SimulatedDevice device = Device(4);
  device.noise = 0.005;
  const ItemResult result = Measure(device, {});
  CHECK(result.median == Approx(4).epsilon(0.003));
  CHECK(result.n >= 20);
  CHECK(result.min <= result.p10);
  CHECK(result.p10 <= result.p25);
  CHECK(result.p25 <= result.median);
  CHECK(result.median <= result.p75);
  CHECK(result.p90 <= result.p99);
  CHECK(result.ci[0] <= result.median);
  CHECK(result.median <= result.ci[1]);
  CHECK(result.noise() == Approx(0.005).epsilon(0.3));
  CHECK(result.warmup_runs >= 10);
  CHECK(result.flags.empty());
}

TEST_CASE("§9.3 warm-up runs are not samples") {
  SimulatedDevice device = Device(5);
  device.cold_calls = 70;
  const ItemResult result = Measure(device, {});
  CHECK(result.first_ms == Approx(15));
  CHECK(result.median == Approx(5).epsilon(0.002));
  CHECK(result.warmup_runs >= 70);

  ProtocolOptions hasty;
  hasty.warmup_agreement = std::numeric_limits<double>::infinity();
  hasty.warmup_min_seconds = 0;
  hasty.max_runs = 40;
  CHECK(Measure(device, hasty).median > 5 * 1.05);
}

TEST_CASE("§9.3 warm-up lasts 0.3 s at least and ends after 5 s at most") {
  SimulatedEngine quiet(Device(1));
  Measure(Device(1), {}, &quiet);
  CHECK(quiet.calls("net") >= 300 + 20);

  // Never two equal windows: ever slower.
  SimulatedDevice device = Device(10);
  device.drift_per_s = 0.6;
  SimulatedEngine engine(device);
  const ItemResult result = Measure(device, {}, &engine);
  CHECK(result.warmup_runs * 10e-3 < 5.2);
  CHECK(result.n > 0);
}

TEST_CASE("§9.4 short items are looped until a sample lasts 1 ms") {
  SimulatedDevice device = Device(0.05);
  device.overhead_ms = 0.02;
  ProtocolOptions options;
  options.min_seconds = 0.1;
  CHECK(Measure(device, options).median == Approx(0.05).epsilon(0.03));
  options.min_sample_ms = 0;
  options.min_seconds = 0;
  CHECK(Measure(device, options).median == Approx(0.07).epsilon(0.001));
}

TEST_CASE("§9.6 sampling stops at n >= 20, 0.5 s and a narrow interval") {
  SimulatedDevice device = Device(10);
  device.noise = 0.002;
  SimulatedEngine engine(device);
  const ItemResult quick = Measure(device, {}, &engine);
  CHECK(quick.n * 10e-3 >= 0.5);
  CHECK(quick.n < 100);
  CHECK_FALSE(quick.Has("ci_not_reached"));

  // 0.1 s each: 0.5 s are over after five.
  CHECK(Measure(Device(100), {}).n == 20);

  device.noise = 0.035;
  const ItemResult longer = Measure(device, {});
  CHECK(longer.n > quick.n);
  CHECK((longer.ci[1] - longer.ci[0]) / 2 <= 0.01 * longer.median);
}

TEST_CASE("§9.6 the caps end what does not get narrow, and say so") {
  SimulatedDevice device = Device(10);
  device.noise = 0.3;
  const ItemResult noisy = Measure(device, {});
  CHECK(noisy.n == 200);
  CHECK(noisy.Has("ci_not_reached"));

  const ItemResult slow = Measure(Device(1200), {});
  CHECK(slow.n < 20);
  CHECK(slow.n >= 3);
  CHECK(slow.Has("ci_not_reached"));
}

TEST_CASE("§9.6 correlated runs are sampled longer than independent ones of the same spread") {
  SimulatedDevice device = Device(10);
  device.noise = 0.02;
  double independent = 0, correlated = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    device.seed = seed;
    device.correlation = 0;
    independent += Measure(device, {}).n;
    device.correlation = 0.7;
    correlated += Measure(device, {}).n;
  }
  CHECK(correlated > 1.3 * independent);
}

TEST_CASE("§9.7 outliers stay in and are counted") {
  SimulatedDevice device = Device(10);
  device.noise = 0.003;
  device.outlier_share = 0.03;
  const ItemResult result = Measure(device, {});
  CHECK(result.outlier_share > 0);
  CHECK(result.outlier_share <= 0.05);
  CHECK(result.p99 > 1.5 * result.median);
  CHECK(result.mean > 1.01 * result.median);
  CHECK(result.median == Approx(10).epsilon(0.01));
  CHECK_FALSE(result.Has("unstable"));
}

TEST_CASE("§9.7 many outliers: measured once more, then flagged unstable") {
  SimulatedDevice device = Device(10);
  device.noise = 0.003;
  CHECK(Measure(device, {}).seconds < 1);
  device.outlier_share = 0.15;
  const ItemResult result = Measure(device, {});
  CHECK(result.Has("unstable"));
  // Warm-up and twice the least time of sampling.
  CHECK(result.seconds >= 0.3 + 2 * 0.5);
}

TEST_CASE("§9.7 two modes more than 10 % apart are unstable, nearer ones are not") {
  SimulatedDevice device = Device(10);
  device.noise = 0.003;
  device.slow_mode_share = 0.4;
  device.slow_mode_factor = 1.25;
  CHECK(Measure(device, {}).Has("unstable"));
  device.slow_mode_share = 0.5;
  device.slow_mode_factor = 1.06;
  CHECK_FALSE(Measure(device, {}).Has("unstable"));
}

TEST_CASE("§9.7 a disturbance that is over at the second try leaves no mark") {
  SimulatedDevice device = Device(10);
  device.noise = 0.003;
  device.spells = {{0.5, 0.72, 1.4}};  // a good part of the first try
  const ItemResult result = Measure(device, {});
  CHECK_FALSE(result.Has("unstable"));
  CHECK(result.median == Approx(10).epsilon(0.003));
  CHECK(result.p90 < 11);
}

TEST_CASE("§9.10 a plan's cap bounds warm-up and sampling of an item") {
  SimulatedDevice device = Device(5);
  device.noise = 0.2;
  SimulatedEngine engine(device);
  ProtocolOptions options;
  options.max_seconds = 1;
  const ItemResult result = Measure(device, options, &engine);
  CHECK(result.Has("ci_not_reached"));
  CHECK(result.seconds <= 1.05);
}
