// SPDX-License-Identifier: Apache-2.0
#include "nas/device/simulated_engine.h"

#include <nlohmann/json.hpp>

#include "nas/core/stats.h"
#include "support/catch_compat.h"

#include "engine_contract.h"

using namespace nas;

namespace {

MeasureItem Block() {
  MeasureItem item;
  item.id = "block";
  item.kind = MeasureItem::Kind::kBlock;
  item.keys = {"conv:32,3,32,16,0,0,0,0,0,-", "mbconv:32,16,32,24,48,3,1,0,0,relu6", "logits:1,24,1,10,0,0,0,0,0,-"};
  item.timed = 1;
  return item;
}

MeasureItem Net() {
  MeasureItem item = Block();
  item.id = "net";
  item.kind = MeasureItem::Kind::kNet;
  return item;
}

std::vector<double> Runs(SimulatedDevice device, int n) {
  SimulatedEngine engine(device);
  const auto item = engine.Prepare(Net(), RunLayout{});
  std::vector<double> runs;
  for (int i = 0; i < n; ++i) runs.push_back(item->Run(1));
  return runs;
}

}  // namespace

TEST_CASE("the simulated engine keeps the contract of engines") {
  SimulatedDevice device;
  device.noise = 0.01;
  SimulatedEngine engine(device);
  test::CheckEngineContract(engine, Block(), Net());
}

TEST_CASE("a simulated device is deterministic, and marked as emulated") {
  SimulatedDevice device;
  device.noise = 0.05;
  device.outlier_share = 0.1;
  CHECK(Runs(device, 50) == Runs(device, 50));
  SimulatedDevice other = device;
  other.seed = 2;
  CHECK(Runs(device, 50) != Runs(other, 50));
  CHECK(SimulatedEngine(device).Recorded().at("emulated") == true);
}

TEST_CASE("noise, outliers and modes are what was asked for") {
  SimulatedDevice device;
  const double truth = SimulatedEngine(device).Truth(Net());
  CHECK(Median(Runs(device, 3)) == Approx(truth));
  device.noise = 0.02;
  const auto noisy = Runs(device, 3000);
  CHECK(StdDev(noisy) / Mean(noisy) == Approx(0.02).epsilon(0.1));
  device.noise = 0;
  device.outlier_share = 0.2;
  CHECK(Mean(Runs(device, 5000)) == Approx(truth * 1.8).epsilon(0.05));
  device.outlier_share = 0;
  device.slow_mode_share = 0.25;
  device.slow_mode_factor = 2;
  CHECK(Mean(Runs(device, 5000)) == Approx(truth * 1.25).epsilon(0.05));
}

TEST_CASE("whole networks of the default device are an affine function of their blocks") {
  SimulatedEngine engine({});
  double sum = 0;
  MeasureItem block = Block();
  for (int i = 0; i < 3; ++i) {
    block.timed = i;
    sum += engine.Truth(block);
  }
  CHECK(engine.Truth(Net()) == Approx(1.04 * sum + 0.05));
}
