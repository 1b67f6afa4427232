// SPDX-License-Identifier: Apache-2.0
#include "nas/report/run_record.h"

#include <algorithm>

#include "json_look.h"
#include "metric_lines.h"
#include "nas/core/error.h"
#include "nas/core/run_folder.h"
#include "nas/core/text.h"
#include "nas/latency/latency_model.h"
#include "nas/latency/latency_table.h"

namespace nas {
namespace {

namespace fs = std::filesystem;
using namespace detail;

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

CostUnit UnitOf(const std::string& unit) {
  return unit == "macs" ? CostUnit::kMacs : unit == "params" ? CostUnit::kParams : CostUnit::kMillis;
}

std::shared_ptr<const Json> ReadOptional(const fs::path& path, std::vector<std::string>* notes) {
  if (Exists(path)) {
    try {
      return std::make_shared<const Json>(JsonDocument::Load(path.string()).root());
    } catch (const Error& error) {
      notes->emplace_back(error.what());
    }
  }
  return std::make_shared<const Json>(nullptr);
}

std::optional<SearchSpace> ReadSpace(const RunRecord& run, const std::vector<std::string>& space_dirs,
                                     std::vector<std::string>* notes) {
  const Json& recorded = LookObject(*run.config, "space");
  SpaceOptions options;
  options.width_mult = LookNumber(LookObject(*run.config, "options"), "width_mult", 1);
  options.resolution = LookInt(recorded, "resolution");
  options.classes = LookInt(recorded, "classes");
  // A space that was given as a file travels with the run; the file may have changed since.
  std::string name = (run.path / "space.json").string();
  if (!Exists(name)) name = LookText(LookObject(*run.config, "options"), "space");
  if (name.empty()) name = LookText(recorded, "name");
  try {
    return SearchSpace::Load(name, options, space_dirs);
  } catch (const Error& error) {
    notes->push_back(StrCat("the search space cannot be read any more: ", error.what()));
    return std::nullopt;
  }
}

void AddCosts(const RunRecord& run, TargetRecord* target, std::vector<std::string>* notes) {
  try {
    if (target->unit != CostUnit::kMillis) {
      if (!run.space) return;
      target->costs = target->unit == CostUnit::kMacs ? MacsCostTable(*run.space) : ParamsCostTable(*run.space);
      return;
    }
    target->model =
        std::make_shared<LatencyModel>(LoadTable((run.path / "targets" / target->folder / "table.json").string()));
    if (run.space) target->costs = target->model->Compile(*run.space);
  } catch (const Error& error) {
    notes->push_back(StrCat("no latencies for ", target->label, ": ", error.what()));
  }
}

NetworkOutcome ReadOutcome(const Json& item, const std::string& source, std::vector<std::string>* notes) {
  NetworkOutcome outcome;
  outcome.predicted = LookNumber(item, "predicted", 0);
  const Json& interval = LookArray(item, "interval");
  if (interval.size() == 2 && interval[0].is_number() && interval[1].is_number())
    outcome.interval = std::pair{interval[0].get<double>(), interval[1].get<double>()};
  outcome.measured = LookNumber(item, "measured");
  const Json* met = Look(item, "met");
  outcome.met = met != nullptr && met->is_boolean() && met->get<bool>();
  outcome.expected = LookNumber(item, "expected", 0);
  outcome.argmax_predicted = LookNumber(LookObject(item, "argmax"), "predicted", 0);
  outcome.argmax_log_prob = LookNumber(LookObject(item, "argmax"), "log_prob", 0);
  outcome.selected_log_prob = LookNumber(LookObject(item, "selected"), "log_prob", 0);
  outcome.code = LookText(LookObject(item, "selected"), "code");
  outcome.macs = static_cast<std::int64_t>(LookNumber(item, "macs", 0));
  outcome.params = static_cast<std::int64_t>(LookNumber(item, "params", 0));
  const Json& accuracy = LookObject(item, "accuracy");
  outcome.top1 = LookNumber(accuracy, "top1", 0);
  outcome.top5 = LookNumber(accuracy, "top5", 0);
  outcome.images = static_cast<std::int64_t>(LookNumber(accuracy, "images", 0));
  if (const Json* arch = Look(item, "arch")) {
    try {
      outcome.architecture = ArchitectureFromJson(JsonDocument::Parse(arch->dump(), source));
    } catch (const Error& error) {
      notes->emplace_back(error.what());
    }
  }
  return outcome;
}

void ReadTargets(RunRecord* run) {
  for (const Json& item : LookArray(*run->config, "targets")) {
    TargetRecord target;
    target.label = LookText(item, "target");
    target.name = target.label.substr(0, target.label.find('='));
    target.folder = LookText(item, "folder");
    target.unit = UnitOf(LookText(item, "unit"));
    target.budget = LookNumber(item, "budget");
    const Json& range = LookArray(item, "range");
    if (range.size() == 2 && range[0].is_number() && range[1].is_number()) {
      target.min = range[0].get<double>();
      target.max = range[1].get<double>();
    }
    AddCosts(*run, &target, &run->notes);
    for (const Json& outcome : LookArray(*run->result, "targets")) {
      if (LookText(outcome, "folder") == target.folder)
        target.outcome = ReadOutcome(outcome, (run->path / "result.json").string(), &run->notes);
    }
    run->targets.push_back(std::move(target));
  }
}

void ReadTrainedNetwork(RunRecord* run) {
  if (!Exists(run->path / "arch.json")) return;
  try {
    run->architecture = LoadArchitecture((run->path / "arch.json").string());
  } catch (const Error& error) {
    run->notes.emplace_back(error.what());
  }
}

/// How far it came, in words; sets `progress`.
void Judge(RunRecord* run, int exit) {
  const int done = run->epochs.empty() ? 0 : run->epochs.back().epoch;
  const std::string how_far =
      run->epochs_planned() > 0 ? StrCat(done, " of ", run->epochs_planned(), " epochs") : StrCat(done, " epochs");
  const std::string verb = run->kind == RunKind::kSearch ? "search" : "train";
  if (!run->result->is_null()) {
    run->progress = RunProgress::kFinished;
    run->progress_text = StrCat("finished after ", how_far);
    return;
  }
  const bool diverged =
      !run->alarms.empty() && (run->alarms.back().kind == "diverged" || run->alarms.back().kind == "end");
  constexpr int kCheckpointed = 75;
  if ((exit > 0 && exit != kCheckpointed) || (diverged && exit != kCheckpointed)) {
    run->progress = RunProgress::kFailed;
    run->progress_text =
        StrCat("failed after ", how_far, run->alarms.empty() ? "" : StrCat(": ", run->alarms.back().text));
    return;
  }
  run->progress_text = StrCat("unfinished: ", how_far, " done; it is still running, or goes on with: nas ", verb,
                              " --out ", run->path.string(), " --resume and the same flags");
}

}  // namespace

std::string RunRecord::name() const {
  const fs::path full = fs::absolute(path).lexically_normal();
  return full.has_filename() ? full.filename().string() : full.parent_path().filename().string();
}

int RunRecord::epochs_planned() const {
  if (kind == RunKind::kTrain) return LookInt(LookObject(*config, "plan"), "epochs");
  return LookInt(LookObject(*config, "schedule"), "epochs");
}

bool RunRecord::learns_alphas() const {
  const std::string strategy = LookText(LookObject(*config, "options"), "strategy");
  return kind == RunKind::kSearch && strategy != "random" && strategy != "evolution";
}

int RunRecord::PrunedAt(int edge, int op) const {
  const auto it = std::find_if(prunes.begin(), prunes.end(),
                               [&](const PruneRecord& prune) { return prune.edge == edge && prune.op == op; });
  return it == prunes.end() ? -1 : it->epoch;
}

RunRecord ReadRun(const fs::path& path, const std::vector<std::string>& space_dirs) {
  if (!RunFolder::IsRun(path)) {
    ThrowInput(StrCat(path.string(), Exists(path) ? " is not the folder of a run" : " does not exist",
                      "; give one that `search` or `train` made"));
  }
  RunRecord run;
  run.path = path;
  run.config = ReadOptional(path / "config.json", &run.notes);
  run.environment = ReadOptional(path / "env.json", &run.notes);
  run.result = ReadOptional(path / "result.json", &run.notes);
  run.kind = StartsWith(LookText(*run.config, "schema"), "nas.train") ? RunKind::kTrain : RunKind::kSearch;
  const int exit = ReadMetrics(&run);
  if (run.kind == RunKind::kSearch) {
    run.space = ReadSpace(run, space_dirs, &run.notes);
    ReadTargets(&run);
  } else {
    ReadTrainedNetwork(&run);
  }
  Judge(&run, exit);
  return run;
}

std::size_t FindTarget(const RunRecord& run, const std::string& target) {
  std::vector<std::string> labels;
  std::vector<std::size_t> matching;
  for (std::size_t i = 0; i < run.targets.size(); ++i) {
    const TargetRecord& t = run.targets[i];
    labels.push_back(t.label);
    if (target == t.label || target == t.folder) return i;
    if (target == t.name || target.empty()) matching.push_back(i);
  }
  if (matching.size() == 1) return matching.front();
  if (matching.empty())
    ThrowInput(StrCat("the run at ", run.path.string(), " has no target ", target, DidYouMean(target, labels)));
  ThrowInput(StrCat("the run at ", run.path.string(),
                    " has several such targets; choose one with --target: ", Join(labels, ", ")));
}

}  // namespace nas
