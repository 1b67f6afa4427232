// SPDX-License-Identifier: Apache-2.0
#include "nas/profile/local_table.h"

#include <cmath>
#include <filesystem>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/latency/latency_model.h"
#include "simulated_profile.h"
#include "support/catch_compat.h"

using namespace nas;
using test::SimulatedHooks;

namespace {

LocalTableOptions Options() {
  test::Silence();
  LocalTableOptions options;
  options.engine = "sim";
  return options;
}

// Counts what is measured.
class Count final : public Progress {
 public:
  void Update(const ProgressState&) override { ++items; }
  void Finish() override {}
  int items = 0;
};

Architecture Sampled(const SearchSpace& space, std::uint64_t seed) {
  CounterRng rng(seed);
  return space.Build(space.Sample(rng));
}

}  // namespace

TEST_CASE("§6 the first use measures and caches; the second reads") {
  const TempDir dir;
  SimulatedHooks sim;
  Count count;
  sim.hooks.progress = &count;
  const SearchSpace space = test::LoadSpace("tiny");
  const LatencyTable first = GetLocalTable(space, dir.path().string(), Options(), sim.hooks);
  CHECK(count.items > 30);
  CHECK(std::filesystem::exists(LocalTablePath(dir.path().string(), first.id())));
  count.items = 0;
  CHECK(GetLocalTable(space, dir.path().string(), Options(), sim.hooks) == first);
  CHECK(count.items == 0);

  // Another thread count is another device.
  LocalTableOptions other = Options();
  other.threads = 2;
  CHECK(GetLocalTable(space, dir.path().string(), other, sim.hooks).id() != first.id());
  CHECK(count.items > 30);
}

TEST_CASE("§6 keys of another space are added in a new run") {
  const TempDir dir;
  SimulatedHooks sim;
  const LatencyTable tiny = GetLocalTable(test::LoadSpace("tiny"), dir.path().string(), Options(), sim.hooks);
  sim.device.spells = {{0, 1e9, 1.01}};  // not quite as fast as then
  const SearchSpace cifar = test::LoadSpace("cifar-mbconv");
  const LatencyTable both = GetLocalTable(cifar, dir.path().string(), Options(), sim.hooks);
  CHECK(both.runs.size() == 2);
  CHECK(both.rows.size() > tiny.rows.size() + 40);
  CHECK(LoadTable(LocalTablePath(dir.path().string(), tiny.id())) == both);
  const LatencyModel model(both);
  SimulatedEngine truth(sim.device);
  for (int i = 0; i < 5; ++i) {
    const Architecture network = Sampled(cifar, i);
    CHECK(model.PredictNetwork(network).ms == Approx(truth.Truth(NetItem("n", network))).epsilon(0.04));
  }
}

TEST_CASE("§6 a machine that is no longer as fast as its profile is profiled again") {
  const TempDir dir;
  SimulatedHooks sim;
  GetLocalTable(test::LoadSpace("tiny"), dir.path().string(), Options(), sim.hooks);
  sim.device.spells = {{0, 1e9, 1.3}};
  const LatencyTable again = GetLocalTable(test::LoadSpace("cifar-mbconv"), dir.path().string(), Options(), sim.hooks);
  CHECK(again.runs.size() == 1);
  for (const LatencyNet& net : again.nets) CHECK(net.name.find("cifar-mbconv") == 0);
}

TEST_CASE("§6 --no-profile never measures") {
  const TempDir dir;
  SimulatedHooks sim;
  const SearchSpace space = test::LoadSpace("tiny");
  LocalTableOptions options = Options();
  options.no_profile = true;
  try {
    GetLocalTable(space, dir.path().string(), options, sim.hooks);
    FAIL("a table came from nowhere");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kUnavailable);
    CHECK(std::string(error.what()).find("--no-profile") != std::string::npos);
  }
  const LatencyTable made = GetLocalTable(space, dir.path().string(), Options(), sim.hooks);
  CHECK(GetLocalTable(space, dir.path().string(), options, sim.hooks) == made);
  CHECK(GetLocalTable(test::LoadSpace("cifar-mbconv"), dir.path().string(), options, sim.hooks) == made);
}

TEST_CASE("a damaged cache is measured anew, a noisy machine gets wider intervals") {
  const TempDir dir;
  SimulatedHooks sim;
  const SearchSpace space = test::LoadSpace("tiny");
  const LatencyTable quiet = GetLocalTable(space, dir.path().string(), Options(), sim.hooks);
  const std::string path = LocalTablePath(dir.path().string(), quiet.id());
  WriteFileAtomic(path, ReadFile(path).substr(0, 500));
  sim.device.slow_mode_share = 0.4;
  sim.device.slow_mode_factor = 1.2;
  const LatencyTable noisy = GetLocalTable(space, dir.path().string(), Options(), sim.hooks);
  CHECK(noisy.calibration->sigma_cal > quiet.calibration->sigma_cal);
  CHECK(LoadTable(path) == noisy);
}

TEST_CASE("a wish to stop ends the automatic profile without a trace") {
  const TempDir dir;
  SimulatedHooks sim;
  StopFlag stop;
  stop.Request();
  sim.hooks.stop = &stop;
  CHECK_THROWS_AS(GetLocalTable(test::LoadSpace("tiny"), dir.path().string(), Options(), sim.hooks), Error);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.path())) {
    CHECK(entry.path().extension() != ".json");
  }
}

TEST_CASE("N13: a network is measured in proportion to the table, whatever the machine's speed of the day") {
  const TempDir dir;
  SimulatedHooks sim;
  const SearchSpace space = test::LoadSpace("cifar-mbconv");
  const LatencyTable table = GetLocalTable(space, dir.path().string(), Options(), sim.hooks);
  SimulatedEngine truth(sim.device);
  for (int i = 0; i < 3; ++i) {
    const Architecture network = Sampled(space, 40 + i);
    const double ms = truth.Truth(NetItem("n", network));
    sim.device.spells.clear();
    CHECK(MeasureNetwork(network, table, Options(), sim.hooks).median == Approx(ms).epsilon(0.01));
    sim.device.spells = {{0, 1e9, 1.4}};
    CHECK(MeasureNetwork(network, table, Options(), sim.hooks).median == Approx(ms).epsilon(0.01));
  }
  std::string why;
  CHECK(IsLocalTable(table, Options(), sim.hooks, &why));
  LocalTableOptions other = Options();
  other.batch = 8;
  CHECK_FALSE(IsLocalTable(table, other, sim.hooks, &why));
  CHECK(why.find("batch") != std::string::npos);
}
