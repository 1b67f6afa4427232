// SPDX-License-Identifier: Apache-2.0
#include "cmd_status.h"

#include <memory>

#include <nlohmann/json.hpp>

#include "cluster_env.h"
#include "nas/cluster/results_index.h"
#include "nas/cluster/run_status.h"
#include "nas/cluster/sweep_report.h"
#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"

namespace nas::cli {
namespace {

struct StatusFlags {
  std::vector<std::string> name;
  bool resumable = false;
};

/// Reads the sweep's files into the index of results and sums them up.
SweepReport Report(const std::string& sweep, const std::vector<RunStatus>& statuses, const Session& session) {
  ResultsIndex index(ResultsIndexPath(session.cache_dir, std::filesystem::temp_directory_path()));
  const std::string id = std::filesystem::absolute(sweep).lexically_normal().string();
  index.Ingest(id, ReadSweep(id), statuses);
  std::vector<IndexedTarget> targets = index.Targets(id);
  for (IndexedTarget& target : targets) {
    target.run = (std::filesystem::path(sweep) / std::filesystem::path(target.run).filename()).string();
  }
  return SummariseSweep(sweep, statuses, targets);
}

int AnswerResumable(const std::string& run) {
  if (!Resumable(run, OwnJob())) return 0;
  return ExitCode(ErrorKind::kCheckpointed);
}

}  // namespace

std::unique_ptr<Scheduler> SchedulerHere() { return FindProgram("squeue").empty() ? nullptr : MakeSlurmScheduler(); }

Run ConfigureStatus(FlagSet& flags) {
  auto f = std::make_shared<StatusFlags>();
  flags.Positional("run", &f->name, "run folder, sweep folder or job id", true);
  flags.AddSwitch("--resumable", &f->resumable, "print nothing; exit 75 if the run should go on, else 0");
  SetExamples(flags,
              "  nas status runs/a\n"
              "  nas status runs/sweep-20261124-1 --json");
  return [f](const Session& session) {
    if (f->resumable) {
      if (f->name.size() != 1) ThrowUsage("nas status --resumable takes one run");
      return AnswerResumable(f->name[0]);
    }
    const std::unique_ptr<Scheduler> scheduler = SchedulerHere();
    std::vector<RunStatus> singles;
    for (const std::string& name : f->name) {
      const NamedRuns named = FindRuns(name, "runs");
      const std::vector<RunStatus> statuses = LookAtRuns(named.runs, scheduler.get());
      if (named.sweep.empty()) {
        singles.insert(singles.end(), statuses.begin(), statuses.end());
        continue;
      }
      const SweepReport report = Report(named.sweep, statuses, session);
      if (!session.json) {
        session.Print(StrCat(ToTable(statuses, session.color), "\n", ToTable(report, session.color)));
        continue;
      }
      if (f->name.size() > 1) ThrowUsage("nas status --json takes one sweep");
      Json json = ToJson(report);
      json["runs"] = Json::array();
      for (const RunStatus& status : statuses) json["runs"].push_back(ToJson(status));
      session.PrintJson(json);
    }
    if (session.json) {
      for (const RunStatus& status : singles) session.PrintJson(ToJson(status));
    } else if (!singles.empty()) {
      session.Print(ToTable(singles, session.color));
    }
    return 0;
  };
}

}  // namespace nas::cli
