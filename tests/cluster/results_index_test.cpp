// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/results_index.h"

#include <nlohmann/json.hpp>

#include "nas/cluster/sweep_report.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

Json Target(const std::string& label, double predicted, double top1, const std::string& code, bool met) {
  return {{"target", label},
          {"unit", "ms"},
          {"asked", 5.0},
          {"predicted", predicted},
          {"measured", nullptr},
          {"met", met},
          {"macs", 7},
          {"params", 3},
          {"selected", {{"code", code}, {"log_prob", -1}}},
          {"accuracy", {{"top1", top1}}}};
}

/// 2 seeds x 2 targets, one run failed, as their folders say.
struct Sweep {
  TempDir dir;
  std::vector<SweepPoint> points;
  std::vector<RunStatus> statuses;

  Sweep() {
    points = ExpandSweep({ParseSweepAxis("seed=0..1"), ParseSweepAxis("target=cpu=5ms,cpu=8ms")}, {"search"},
                         dir.path() / "s");
    Result(0, Target("cpu=5ms", 5, 0.50, "012", true));
    Result(1, Target("cpu=8ms", 8, 0.70, "111", true));
    Result(2, Target("cpu=5ms", 4, 0.60, "022", false));
    for (std::size_t i = 0; i < points.size(); ++i) {
      RunStatus status;
      status.run = points[i].run;
      status.state = i == 3 ? "failed" : "finished";
      status.detail = i == 3 ? "exit 7: diverged at step 3" : "";
      statuses.push_back(status);
    }
  }

  void Result(std::size_t index, const Json& target) {
    const std::filesystem::path run = points[index].run;
    MakeDirectory(run);
    WriteFileAtomic(run / "result.json", Json{{"targets", Json::array({target})}}.dump());
    AppendLine(run / "metrics.jsonl", R"({"event":"epoch","epoch":1,"phase":"warm-up","loss":2.0,"accuracy":0.1})");
    AppendLine(run / "metrics.jsonl", R"({"event":"checkpoint","epoch":1})");
    AppendLine(run / "metrics.jsonl", R"({"event":"epoch","epoch":2,"phase":"sea)");
  }
};

}  // namespace

TEST_CASE("reading a sweep twice gives the same rows", "[cluster]") {
  Sweep sweep;
  ResultsIndex index(sweep.dir.path() / "cache" / "results.sqlite");
  for (int time = 0; time < 2; ++time) {
    index.Ingest("s", sweep.points, sweep.statuses);
    REQUIRE(index.Count("runs") == 4);
    REQUIRE(index.Count("targets") == 3);
    REQUIRE(index.Count("epochs") == 3);
  }
  index.Ingest("other", {sweep.points[0]}, {sweep.statuses[0]});
  REQUIRE(index.Targets("other").size() == 1);  // a run belongs to the sweep that was read last
}

TEST_CASE("targets go by what was asked: result.json has only their names", "[cluster]") {
  Sweep sweep;
  const std::filesystem::path run = sweep.points[0].run;
  Json tight = Target("macs", 5e6, 0.5, "012", true);
  Json loose = Target("macs", 7e6, 0.6, "022", true);
  tight["asked"] = 5500000.0;
  WriteFileAtomic(run / "result.json", Json{{"targets", {tight, loose}}}.dump());
  ResultsIndex index(sweep.dir.path() / "results.sqlite");
  index.Ingest("s", {sweep.points[0]}, {sweep.statuses[0]});
  REQUIRE(index.Targets("s").size() == 2);
  REQUIRE(index.Targets("s")[0].target == "macs=5.0");
  WriteFileAtomic(run / "config.json", R"({"targets": [{"target": "macs=50%"}, {"target": "macs=70%"}]})");
  index.Ingest("s", {sweep.points[0]}, {sweep.statuses[0]});
  const auto targets = index.Targets("s");
  REQUIRE(targets.size() == 2);
  REQUIRE(targets[0].target == "macs=50%");
  REQUIRE(targets[1].target == "macs=70%");
  REQUIRE(targets[1].top1 == 0.6);
}

TEST_CASE("the index survives its process, and other sweeps stay", "[cluster]") {
  Sweep one;
  Sweep two;
  const TempDir cache;
  const auto file = cache.path() / "results.sqlite";
  ResultsIndex(file).Ingest("one", one.points, one.statuses);
  ResultsIndex index(file);
  index.Ingest("two", two.points, two.statuses);
  REQUIRE(index.Targets("one").size() == 3);
  const auto targets = index.Targets("two");
  REQUIRE(targets.size() == 3);
  REQUIRE(targets[0].target == "cpu=5ms");
  REQUIRE(targets[0].asked == 5.0);
  REQUIRE_FALSE(targets[0].measured);
}

TEST_CASE("the report: share met, spread over seeds, agreement per edge, Pareto front, failed runs", "[cluster]") {
  Sweep sweep;
  ResultsIndex index(sweep.dir.path() / "results.sqlite");
  index.Ingest("s", sweep.points, sweep.statuses);
  const SweepReport report = SummariseSweep("s", sweep.statuses, index.Targets("s"));
  REQUIRE(report.runs == 4);
  REQUIRE(report.finished == 3);
  REQUIRE(report.targets.size() == 2);
  const TargetSummary& tight = report.targets[0];
  REQUIRE(tight.target == "cpu=5ms");
  REQUIRE(tight.runs == 2);
  REQUIRE(tight.met == 1);
  REQUIRE(tight.top1_mean == Approx(0.55));
  REQUIRE(tight.top1_sd == Approx(0.0707107).epsilon(1e-4));
  REQUIRE(tight.agreement == std::vector<double>{1, 0.5, 1});
  REQUIRE(tight.agreement_mean == Approx(2.5 / 3));
  // (4 ms, 0.60) beats (5 ms, 0.50); (8 ms, 0.70) stays.
  REQUIRE(report.pareto.size() == 2);
  REQUIRE(report.pareto[0].network.predicted == 4);
  REQUIRE(report.pareto[1].network.predicted == 8);
  REQUIRE(report.failed.size() == 1);
  const std::string table = ToTable(report, false);
  INFO(table);
  REQUIRE(table.find("3 of 4 runs finished") != std::string::npos);
  REQUIRE(table.find("diverged at step 3") != std::string::npos);
  REQUIRE(ToJson(report)["targets"][0]["top1"]["sd"].get<double>() > 0);
}

TEST_CASE("the index lies in the cache, elsewhere when that is shared", "[cluster]") {
  const TempDir dir;
  const bool shared = FileSystemOf(dir.path()).shared;
  REQUIRE(ResultsIndexPath(dir.path(), "/t") ==
          (shared ? std::filesystem::path("/t/nas/results.sqlite") : dir.path() / "results.sqlite"));
  REQUIRE_FALSE(FileSystemOf("/proc").shared);
  REQUIRE_FALSE(FileSystemOf(dir.path() / "not" / "there").name.empty());
}
