// SPDX-License-Identifier: Apache-2.0
#include "profile/table_builder.h"

#include "nas/core/text.h"
#include "simulated_profile.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

ItemResult Result(const std::string& id, double ms, double reference_ms) {
  ItemResult result;
  result.id = id;
  result.n = 30;
  result.median = result.mean = ms;
  result.ci = {0.99 * ms, 1.01 * ms};
  result.std = 0.01 * ms;
  result.reference_ms = reference_ms;
  return result;
}

}  // namespace

TEST_CASE("times are set in proportion to the reference beside them") {
  std::map<std::string, ItemResult> results;
  for (int i = 0; i < 10; ++i) results[StrCat("q", i)] = Result("q", 1, 2);
  results["slow"] = Result("slow", 1.5, 3);
  const double quiet = detail::QuietReference(results);
  CHECK(quiet == 2);
  const SampleStats stats = detail::ToStats(results["slow"], quiet);
  CHECK(*stats.reference_ratio == Approx(1.5));
  CHECK(*stats.median == Approx(1));
  CHECK((*stats.ci)[1] == Approx(1.01));
  CHECK(*stats.std / *stats.mean == Approx(0.01));
  CHECK_FALSE(detail::ToStats(Result("x", 1, 0), quiet).reference_ratio);
}

TEST_CASE("a fit needs the fixed pieces, enough blocks and enough networks") {
  const SearchSpace space = test::LoadSpace("cifar-mbconv");
  PlanOptions options;
  const ProfilePlan plan = MakePlan(space, options);
  SimulatedEngine engine({});
  LatencyTable table = detail::NewTable(engine, "t", plan, space);
  CHECK(detail::MissingForFit(table, plan).find("conv") != std::string::npos);

  std::map<std::string, ItemResult> results;
  int blocks = 0;
  for (const MeasureItem& item : plan.blocks) {
    if (item.id.find("mbconv") == std::string::npos || ++blocks <= 10) results[item.id] = Result(item.id, 1, 2);
  }
  detail::AddRun(table, plan, results, {}, 1, "2026-11-22T10:00:00Z");
  CHECK(detail::MissingForFit(table, plan) == "10 of at least 16 blocks");
  results.clear();
  for (const MeasureItem& item : plan.blocks) results[item.id] = Result(item.id, 1, 2);
  detail::AddRun(table, plan, results, {}, 2, "2026-11-22T10:00:00Z");
  CHECK(detail::MissingForFit(table, plan) == "0 of at least 5 calibration networks");
  results.clear();
  for (const MeasureItem& item : plan.calibrate) results[item.id] = Result(item.id, 1, 2);
  detail::AddRun(table, plan, results, {}, 3, "2026-11-22T10:00:00Z");
  CHECK(detail::MissingForFit(table, plan).empty());
}

TEST_CASE("roles, runs and identity land in the table") {
  const SearchSpace space = test::LoadSpace("tiny");
  PlanOptions options;
  const ProfilePlan plan = MakePlan(space, options);
  SimulatedEngine engine({});
  LatencyTable table = detail::NewTable(engine, "t", plan, space);
  CHECK(table.recorded.emulated);
  CHECK(table.identity.engine == "simulated");
  CHECK(table.provenance.kind == "measured");
  std::map<std::string, ItemResult> results;
  for (const MeasureItem& item : plan.Items()) results[item.id] = Result(item.id, 1, 2);
  results.begin()->second.error = "broken";
  MeasuringReport report;
  report.seconds = 12.34;
  detail::AddRun(table, plan, results, report, 2, "2026-11-22T10:00:00Z");
  CHECK(table.rows.size() + table.nets.size() == results.size() - 1);
  CHECK(table.runs.at(0).run == 2);
  CHECK(table.runs.at(0).seconds == 12.3);
  int held_out = 0;
  for (const LatencyNet& net : table.nets) held_out += net.role == "held-out";
  CHECK(held_out == static_cast<int>(plan.held_out.size()));
  const LatencyNet* reference = detail::FindReference(table, "tiny");
  REQUIRE(reference != nullptr);
  CHECK(reference->role == "calibrate");
  CHECK(detail::FindReference(table, "elsewhere") == reference);
}
