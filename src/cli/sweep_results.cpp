// SPDX-License-Identifier: Apache-2.0
#include "sweep_results.h"

#include <algorithm>
#include <memory>

#include "cmd_status.h"
#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/report/sweep_page.h"

namespace nas::cli {
namespace {

namespace fs = std::filesystem;

std::string NameOf(const fs::path& run) { return run.filename().string(); }

CostUnit UnitOf(const std::string& unit) {
  return unit == "ms" ? CostUnit::kMillis : unit == "macs" ? CostUnit::kMacs : CostUnit::kParams;
}

/// Where the page of a run is, seen from `page`; "" = there is none.
std::string Link(const fs::path& run, const fs::path& page) {
  std::error_code error;
  if (!fs::exists(run / "report.html", error)) return "";
  const fs::path link = fs::relative(run / "report.html", fs::absolute(page).parent_path(), error);
  return error ? "" : link.generic_string();
}

}  // namespace

SweepResults ReadSweepResults(const std::string& sweep, Scheduler* scheduler, const Session& session) {
  SweepResults results;
  results.statuses = LookAtRuns(FindRuns(sweep, "runs").runs, scheduler);
  ResultsIndex index(ResultsIndexPath(session.cache_dir, fs::temp_directory_path()));
  const std::string id = fs::absolute(sweep).lexically_normal().string();
  index.Ingest(id, ReadSweep(id), results.statuses);
  results.targets = index.Targets(id);
  for (IndexedTarget& target : results.targets) target.run = (fs::path(sweep) / NameOf(target.run)).string();
  results.report = SummariseSweep(sweep, results.statuses, results.targets);
  return results;
}

fs::path WriteSweepReport(const std::string& sweep, const std::string& out, const std::string& data_dir,
                          const Session& session) {
  std::unique_ptr<Scheduler> scheduler = SchedulerHere();
  SweepResults results;
  try {
    results = ReadSweepResults(sweep, scheduler.get(), session);
  } catch (const Error& error) {
    // The files alone say what has finished.
    if (error.kind() != ErrorKind::kUnavailable) throw;
    LogWarning(error.what());
    results = ReadSweepResults(sweep, nullptr, session);
  }
  const fs::path place = out.empty() ? fs::path(sweep) / "report.html" : fs::path(out);
  SweepPage page;
  const fs::path folder = fs::absolute(sweep).lexically_normal();
  page.name = NameOf(folder.filename().empty() ? folder.parent_path() : folder);
  for (const RunStatus& status : results.statuses)
    page.runs.push_back({NameOf(status.run), status.state, status.detail, Link(status.run, place)});
  for (const TargetSummary& t : results.report.targets) {
    page.targets.push_back({t.target, t.target.substr(0, t.target.find('=')), UnitOf(t.unit), t.runs, t.met,
                            t.top1_mean, t.top1_sd, t.predicted_mean, t.agreement});
  }
  for (const IndexedTarget& t : results.targets) {
    const auto& front = results.report.pareto;
    const bool on_front = std::any_of(front.begin(), front.end(), [&](const ParetoPoint& point) {
      return point.network.run == t.run && point.network.target == t.target;
    });
    page.networks.push_back(
        {NameOf(t.run), t.target, t.predicted, t.measured, t.top1, t.macs, t.params, t.met, on_front, t.code});
  }
  WriteSweepPage(page, place, data_dir);
  return place;
}

}  // namespace nas::cli
