// SPDX-License-Identifier: Apache-2.0
#include "nas/profile/profiler.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/latency/evaluation.h"
#include "nas/latency/latency_model.h"
#include "simulated_profile.h"
#include "support/catch_compat.h"

using namespace nas;
using test::SimulatedHooks;

namespace {

ProfileOptions Options(const TempDir& dir, const std::string& plan = "quick") {
  test::Silence();
  ProfileOptions options;
  options.engine = "sim";
  options.plan = plan;
  options.out = (dir.path() / "t.json").string();
  return options;
}

std::string Refusal(const ProfileOptions& options, const ProfileHooks& hooks, ErrorKind kind) {
  try {
    RunProfile(options, hooks);
  } catch (const Error& error) {
    INFO(error.what());
    CHECK(error.kind() == kind);
    return error.what();
  }
  FAIL("nothing was refused");
  return "";
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Stops after some items.
class StopAfter final : public Progress {
 public:
  StopAfter(StopFlag& flag, int items) : flag_(flag), left_(items) {}
  void Update(const ProgressState& state) override {
    last = state;
    if (--left_ < 0) flag_.Request();
  }
  void Finish() override {}
  ProgressState last;

 private:
  StopFlag& flag_;
  int left_;
};

}  // namespace

TEST_CASE("a full profile of an additive device predicts networks that it never fitted") {
  const TempDir dir;
  SimulatedHooks sim;
  const ProfileResult result = RunProfile(Options(dir, "full"), sim.hooks);
  const SplitReport* report = result.held_out();
  REQUIRE(report != nullptr);
  CHECK(report->n == 30);
  CHECK(report->mape < 1.0);
  CHECK(report->within_10pct == 1);
  REQUIRE(report->spearman);
  CHECK(*report->spearman > 0.99);
  CHECK(result.items == 57 + 25 + 30);
  CHECK(result.whole_nets == 55);
  CHECK(result.seconds < 600);
  CHECK(result.warnings.empty());
  CHECK(result.table.calibration->a == Approx(1.04).epsilon(0.02));

  const LatencyTable stored = LoadTable(result.path);
  CHECK(stored.id() == result.table.id());
  CHECK(stored.rows.size() == 57);
  CHECK(stored.nets.size() == 55);
  CHECK(CompareCertificates(*stored.certificate,
                            MakeCertificate(stored, EvalDataFromTable(stored), {"nets:held-out"}, "2026-11-22"))
            .empty());
  CHECK_FALSE(std::filesystem::exists(result.path + ".partial.jsonl"));
  const Json json = ToJson(result);
  for (const char* key : {"schema", "table", "device", "items", "whole_nets", "mape", "within_10pct", "spearman",
                          "noise_floor", "seconds"}) {
    CHECK(json.contains(key));
  }
}

TEST_CASE("a quick profile stays below 90 s and is good enough for a budget") {
  const TempDir dir;
  SimulatedHooks sim;
  sim.device.noise = 0.02;
  const ProfileResult result = RunProfile(Options(dir), sim.hooks);
  CHECK(result.seconds < 90);
  CHECK(result.held_out()->n == 5);
  CHECK(result.held_out()->max_ape < 5);
}

TEST_CASE("the same seed on the same device gives the same table") {
  const TempDir dir;
  SimulatedHooks sim;
  ProfileOptions options = Options(dir);
  LatencyTable first = RunProfile(options, sim.hooks).table;
  options.force = true;
  LatencyTable second = RunProfile(options, sim.hooks).table;
  second.created = first.created;
  second.certificate->date = first.certificate->date;
  second.runs[0].start = first.runs[0].start;
  CHECK(first == second);
}

TEST_CASE("drift between items is taken out by the reference") {
  const TempDir dir;
  SimulatedHooks sim;
  // Busy spells of 20 s: longer than the patience with an item, shorter than the profile.
  for (int i = 0; i < 20; ++i) sim.device.spells.push_back({20.0 + 40 * i, 40.0 + 40 * i, 1.35});
  ProfileOptions options = Options(dir);
  options.allow_noisy = true;
  const ProfileResult result = RunProfile(options, sim.hooks);
  SimulatedEngine truth(sim.device);
  double worst = 0;
  for (const LatencyRow& row : result.table.rows) {
    MeasureItem item;
    item.kind = MeasureItem::Kind::kBlock;
    item.keys = {row.key};
    worst = std::max(worst, std::abs(*row.stats.median / truth.Truth(item) - 1));
  }
  CHECK(worst < 0.05);
  CHECK(result.held_out()->mape < 2);
}

TEST_CASE("§9.1 a run is not added to the table of another device") {
  const TempDir dir;
  SimulatedHooks sim;
  ProfileOptions options = Options(dir);
  RunProfile(options, sim.hooks);
  const std::string before = ReadFile(options.out);
  options.again = true;
  options.threads = 4;
  const std::string message = Refusal(options, sim.hooks, ErrorKind::kInput);
  CHECK(Has(message, "threads"));
  CHECK(ReadFile(options.out) == before);
}

TEST_CASE("§9.11 a second run tells the noise between runs") {
  const TempDir dir;
  SimulatedHooks sim;
  ProfileOptions options = Options(dir);
  CHECK_FALSE(RunProfile(options, sim.hooks).table.certificate->between_runs);
  options.again = true;
  sim.device.seed = 9;
  const LatencyTable table = RunProfile(options, sim.hooks).table;
  REQUIRE(table.certificate->between_runs);
  CHECK(*table.certificate->between_runs < 0.01);
  CHECK(table.runs.size() == 2);
  CHECK(table.rows.size() == 96);
  CHECK(LoadTable(options.out) == table);
}

TEST_CASE("§9.10 a stopped profile keeps what it has; --resume measures only the rest") {
  const TempDir dir;
  SimulatedHooks sim;
  StopFlag stop;
  StopAfter progress(stop, 20);
  sim.hooks.stop = &stop;
  sim.hooks.progress = &progress;
  ProfileOptions options = Options(dir);
  const std::string message = Refusal(options, sim.hooks, ErrorKind::kCheckpointed);
  CHECK(Has(message, "--resume"));
  CHECK(Has(message, "of 63 items"));
  CHECK_FALSE(std::filesystem::exists(options.out));

  sim.hooks.stop = nullptr;
  CHECK(Has(Refusal(options, sim.hooks, ErrorKind::kInput), "--resume"));  // not without being asked

  options.resume = true;
  options.threads = 2;  // another device
  CHECK(Has(Refusal(options, sim.hooks, ErrorKind::kInput), "threads"));
  options.threads = 1;
  options.seed = 1;  // another plan
  CHECK(Has(Refusal(options, sim.hooks, ErrorKind::kInput), "seed"));
  options.seed = 0;

  StopFlag never;
  StopAfter rest(never, 1000);
  sim.hooks.progress = &rest;
  const ProfileResult result = RunProfile(options, sim.hooks);
  CHECK(rest.last.total == 63);
  CHECK(result.items == 63);
  CHECK(result.held_out()->mape < 2);
  CHECK_FALSE(std::filesystem::exists(options.out + ".partial.jsonl"));
}

TEST_CASE("tables are not overwritten unasked") {
  const TempDir dir;
  SimulatedHooks sim;
  ProfileOptions options = Options(dir);
  WriteFileAtomic(options.out, "precious");
  CHECK(Has(Refusal(options, sim.hooks, ErrorKind::kInput), "--force"));
  CHECK(ReadFile(options.out) == "precious");
  CHECK(sim.opened == 0);
  options.out = (dir.path() / "none.json").string();
  options.again = true;
  CHECK(Has(Refusal(options, sim.hooks, ErrorKind::kInput), "--again"));
}

TEST_CASE("§9.8 a machine too noisy for figures: exit 5, unless it is allowed, then with wider intervals") {
  const TempDir dir;
  SimulatedHooks sim;
  ProfileOptions options = Options(dir);
  const LatencyTable quiet = RunProfile(options, sim.hooks).table;
  sim.device.slow_mode_share = 0.4;
  sim.device.slow_mode_factor = 1.25;
  options.force = true;
  const std::string message = Refusal(options, sim.hooks, ErrorKind::kUnavailable);
  CHECK(Has(message, "--allow-noisy"));
  CHECK(Has(message, "partial"));
  // Going on measures the doubtful items again, and is not fooled by there being a result of each.
  options.force = false;
  std::filesystem::remove(options.out);
  options.resume = true;
  CHECK(Has(Refusal(options, sim.hooks, ErrorKind::kUnavailable), "too noisy"));
  options.allow_noisy = true;
  const ProfileResult noisy = RunProfile(options, sim.hooks);
  REQUIRE_FALSE(noisy.warnings.empty());
  CHECK(Has(noisy.warnings[0], "noisy"));
  CHECK(noisy.table.calibration->sigma_cal > quiet.calibration->sigma_cal);
  CHECK(noisy.table.model->sigma_run > quiet.model->sigma_run);
}

TEST_CASE("§9.8 a profile that was too noisy is finished with --resume once the machine is quiet") {
  const TempDir dir;
  SimulatedHooks sim;
  ProfileOptions options = Options(dir);
  const SimulatedDevice quiet = sim.device;
  sim.device.slow_mode_share = 0.4;
  sim.device.slow_mode_factor = 1.25;
  Refusal(options, sim.hooks, ErrorKind::kUnavailable);
  sim.device = quiet;
  options.resume = true;
  const ProfileResult result = RunProfile(options, sim.hooks);
  CHECK(result.warnings.empty());
  CHECK(result.held_out()->mape < 2);
}

TEST_CASE("§9.10 a device too slow for the deadline: exit 5 when too little is measured") {
  const TempDir dir;
  SimulatedHooks sim;
  sim.device.cost_ms = [](const MeasureItem&) { return 1500.0; };
  CHECK(Has(Refusal(Options(dir), sim.hooks, ErrorKind::kUnavailable), "too little"));
}

TEST_CASE("an unknown engine or space is answered with the nearest") {
  const TempDir dir;
  SimulatedHooks sim;
  ProfileOptions options = Options(dir);
  options.engine = "simm";
  CHECK(Has(Refusal(options, sim.hooks, ErrorKind::kUsage), "\"sim\""));
  options.engine = "sim";
  options.space = "cifar-mbcnv";
  CHECK(Has(Refusal(options, sim.hooks, ErrorKind::kInput), "cifar-mbconv"));
}

TEST_CASE("a dry run plans and opens nothing") {
  const TempDir dir;
  SimulatedHooks sim;
  ProfileOptions options = Options(dir, "full");
  options.dry_run = true;
  options.out = "";
  const ProfilePlan plan = PlanProfile(options, sim.hooks);
  CHECK(plan.Items().size() == 112);
  CHECK(sim.opened == 0);
}
