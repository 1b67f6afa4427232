// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "../device/engine_contract.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/device/affinity.h"
#include "nas/device/item_meter.h"
#include "nas/device/measuring_run.h"
#include "nas/profile/local_engines.h"
#include "nas/profile/local_table.h"
#include "nas/profile/profiler.h"
#include "simulated_profile.h"

using namespace nas;

namespace {

std::unique_ptr<Engine> Open(const EngineOptions& options = {}) {
  return FindEngine(LocalEngines(), "libtorch").make(options);
}

ProfilePlan TinyPlan() { return MakePlan(test::LoadSpace("tiny"), {}); }

}  // namespace

TEST_CASE("the libtorch engine keeps the contract of engines") {
  const auto engine = Open();
  const ProfilePlan plan = TinyPlan();
  const auto middle = std::find_if(plan.blocks.begin(), plan.blocks.end(), [](const auto& b) { return b.timed == 1; });
  REQUIRE(middle != plan.blocks.end());
  test::CheckEngineContract(*engine, *middle, plan.reference);
}

TEST_CASE("every block and network of every space can be prepared and run") {
  const auto engine = Open();
  for (const char* space : {"tiny", "macro-cifar"}) {
    const ProfilePlan plan = MakePlan(test::LoadSpace(space), {});
    RunLayout layout;
    layout.rotate_bytes = 1 << 18;
    for (const MeasureItem& item : plan.Items()) {
      INFO(space << " " << item.id);
      CHECK(engine->Prepare(item, layout)->Run(1) > 0);
    }
  }
}

TEST_CASE("the identity tells threads, batch, cores and build; cores are kept for the engine's life only") {
  const CoreMask before = AllowedCores();
  EngineOptions options;
  options.batch = 4;
  options.cores = ToString(CoreMask{1} << CoreIndices(before).front());
  {
    const auto engine = Open(options);
    CHECK(engine->Identity().at("batch") == 4);
    CHECK(engine->Identity().at("core_mask") == options.cores);
    CHECK(engine->Identity().at("engine") == "libtorch");
    CHECK(engine->Recorded().at("emulated") == false);
    CHECK(AllowedCores() == CoreMask{1} << CoreIndices(before).front());
    CHECK(at::get_num_threads() == 1);
  }
  CHECK(AllowedCores() == before);
  options.cores.clear();
  options.device = "toaster";
  CHECK_THROWS_AS(Open(options), Error);
}

TEST_CASE("a bigger block takes longer, a block less than its network") {
  const auto engine = Open();
  RunLayout layout;
  layout.rotate_bytes = 1 << 20;
  const auto time = [&](const std::string& key) {
    MeasureItem item;
    item.id = key;
    item.kind = MeasureItem::Kind::kBlock;
    item.keys = {key};
    const auto prepared = engine->Prepare(item, layout);
    prepared->Run(5);
    double least = 1e9;
    for (int i = 0; i < 30; ++i) least = std::min(least, prepared->Run(1));
    return least;
  };
  CHECK(time("mbconv:32,24,32,24,72,3,1,1,0,relu6") > 2 * time("mbconv:8,24,8,24,72,3,1,1,0,relu6"));
}

TEST_CASE("a profile of this machine, as small as can be") {
  test::Silence();
  const TempDir dir;
  ProfilePlan plan = TinyPlan();
  const auto engine = Open();
  plan.protocol.max_seconds = 0.1;
  plan.protocol.min_seconds = 0.02;
  plan.protocol.warmup_min_seconds = 0.02;
  plan.protocol.settle_seconds = 0.1;
  plan.protocol.reference_seconds = 0.05;
  plan.protocol.max_pauses = 0;  // whatever else runs on the machine that tests
  plan.protocol.revisit_seconds = 0;
  plan.protocol.allow_noisy = true;
  const std::vector<MeasureItem> items(plan.blocks.begin(), plan.blocks.begin() + 6);
  int results = 0;
  MeasuringHooks hooks;
  hooks.on_result = [&](const ItemResult& result) {
    ++results;
    CHECK(result.error.empty());
    CHECK(result.median > 0);
    CHECK(result.median < 50);
    CHECK(result.reference_ms > 0);
  };
  const MeasuringReport report = MeasuringRun(*engine, plan.protocol, plan.reference).Measure(items, {}, hooks);
  CHECK(results >= 6);
  CHECK(report.done == 6);
  CHECK(report.errors == 0);
}
