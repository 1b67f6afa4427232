// SPDX-License-Identifier: Apache-2.0
#include "cmd_status.h"

#include <memory>

#include <nlohmann/json.hpp>

#include "cluster_env.h"
#include "nas/cluster/run_status.h"
#include "nas/core/error.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
#include "sweep_results.h"

namespace nas::cli {
namespace {

struct StatusFlags {
  std::vector<std::string> name;
  bool resumable = false;
};

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
      if (named.sweep.empty()) {
        const std::vector<RunStatus> statuses = LookAtRuns(named.runs, scheduler.get());
        singles.insert(singles.end(), statuses.begin(), statuses.end());
        continue;
      }
      const SweepResults sweep = ReadSweepResults(named.sweep, scheduler.get(), session);
      if (!session.json) {
        session.Print(StrCat(ToTable(sweep.statuses, session.color), "\n", ToTable(sweep.report, session.color)));
        continue;
      }
      if (f->name.size() > 1) ThrowUsage("nas status --json takes one sweep");
      Json json = ToJson(sweep.report);
      json["runs"] = Json::array();
      for (const RunStatus& status : sweep.statuses) json["runs"].push_back(ToJson(status));
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
