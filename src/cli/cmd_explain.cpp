// SPDX-License-Identifier: Apache-2.0
#include "cmd_explain.h"

#include <memory>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/text.h"
#include "nas/report/explanation.h"

namespace nas::cli {
namespace {

struct ExplainFlags {
  std::vector<std::string> run;
  std::string target;
};

const char* ProgressName(RunProgress progress) {
  return progress == RunProgress::kFinished ? "finished" : progress == RunProgress::kFailed ? "failed" : "unfinished";
}

}  // namespace

Run ConfigureExplain(FlagSet& flags) {
  auto f = std::make_shared<ExplainFlags>();
  flags.Positional("run", &f->run, "folder of a search, finished or not", true);
  flags.Add("--target", &f->target, "one target of the run: cpu=50%, cpu-50pct or cpu; all by default");
  SetExamples(flags,
              "  nas explain runs/demo\n"
              "  nas explain runs/photos --target macs=60M --json");
  return [f](const Session& session) {
    if (f->run.size() != 1) ThrowUsage(StrCat("nas explain takes one run, ", f->run.size(), " were given"));
    const RunRecord run = ReadRun(f->run[0], session.space_dirs);
    std::vector<Explanation> explanations;
    if (!f->target.empty() || run.targets.size() < 2) {
      explanations.push_back(Explain(run, FindTarget(run, f->target)));
    } else {
      for (std::size_t t = 0; t < run.targets.size(); ++t) explanations.push_back(Explain(run, t));
    }
    for (const std::string& note : run.notes) LogWarning(note);
    if (session.json) {
      Json json{{"schema", "nas.explain/1"},
                {"run", run.path.string()},
                {"state", ProgressName(run.progress)},
                {"space", explanations[0].space},
                {"targets", Json::array()}};
      for (const Explanation& explanation : explanations) json["targets"].push_back(ToJson(explanation));
      session.PrintJson(json);
      return 0;
    }
    std::string text;
    for (const Explanation& explanation : explanations) {
      text += StrCat(text.empty() ? "" : "\n\n", ToText(explanation, session.color));
    }
    session.Print(text);
    return 0;
  };
}

}  // namespace nas::cli
