// SPDX-License-Identifier: Apache-2.0
#include "cmd_cancel.h"

#include <memory>

#include <nlohmann/json.hpp>

#include "cmd_status.h"
#include "nas/cluster/cancel.h"
#include "nas/core/text.h"

namespace nas::cli {

Run ConfigureCancel(FlagSet& flags) {
  struct CancelFlags {
    std::vector<std::string> name;
    bool now = false;
  };
  auto f = std::make_shared<CancelFlags>();
  flags.Positional("run", &f->name, "run folder, sweep folder or job id", true);
  flags.AddSwitch("--now", &f->now, "at once, without waiting for a checkpoint");
  SetExamples(flags,
              "  nas cancel runs/a\n"
              "  nas cancel runs/sweep-20261124-1 --now");
  return [f](const Session& session) {
    std::vector<std::filesystem::path> runs;
    for (const std::string& name : f->name) {
      const NamedRuns named = FindRuns(name, "runs");
      runs.insert(runs.end(), named.runs.begin(), named.runs.end());
    }
    const std::unique_ptr<Scheduler> scheduler = SchedulerHere();
    CancelOptions options;
    options.now = f->now;
    Json json{{"schema", "nas.cancel/1"}, {"runs", Json::array()}};
    for (const CancelOutcome& outcome : CancelRuns(runs, scheduler.get(), options)) {
      json["runs"].push_back({{"run", outcome.run}, {"outcome", outcome.text}});
      if (!session.json) session.Print(StrCat(outcome.run, ": ", outcome.text));
    }
    if (session.json) session.PrintJson(json);
    return 0;
  };
}

}  // namespace nas::cli
