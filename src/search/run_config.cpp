// SPDX-License-Identifier: Apache-2.0
#include "run_config.h"

#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/core/machine.h"
#include "nas/core/text.h"
#include "nas/core/version.h"

namespace nas {
namespace {

/// Flags that may change between the sessions of one run: they say where and how long, not what.
const std::vector<std::string> kFreeKeys{"options.threads"};

RunMode ModeOf(const SearchOptions& options) {
  if (options.force) return RunMode::kForce;
  if (options.resume == "auto") return RunMode::kResumeOrNew;
  return options.resume.empty() ? RunMode::kNew : RunMode::kResume;
}

std::filesystem::path PathOf(const SearchSetup& setup) {
  if (!setup.options.out.empty()) return setup.options.out;
  std::string stem = setup.space.name();
  for (const SearchTarget& target : setup.targets) stem += "-" + target.folder;
  return RunFolder::NextDefaultName("runs", stem);
}

}  // namespace

std::optional<SearchResult> FinishedResult(const SearchOptions& options) {
  if (options.resume.empty()) return std::nullopt;
  const std::filesystem::path result = std::filesystem::path(options.out) / "result.json";
  std::error_code ignored;
  if (!RunFolder::IsRun(options.out) || !std::filesystem::exists(result, ignored)) return std::nullopt;
  LogInfo(StrCat(options.out, " is finished; this is its result"));
  return SearchResultFromJson(JsonDocument::Load(result.string()));
}

Json RunConfig(const SearchSetup& setup) {
  Json config;
  config["schema"] = "nas.search.config/1";
  config["options"] = ToJson(setup.options);
  const Schedule& s = setup.schedule;
  config["schedule"] = {{"epochs", s.epochs},
                        {"warmup_epochs", s.warmup_epochs},
                        {"arch_epochs", s.arch_epochs},
                        {"batch", s.batch},
                        {"arch_batch", s.arch_batch},
                        {"steps_per_epoch", s.steps_per_epoch},
                        {"weight_steps_per_arch_step", s.weight_steps_per_arch_step},
                        {"arch_updates", s.arch_updates},
                        {"alpha_lr", s.alpha_lr},
                        {"warmup_lr", s.warmup_lr},
                        {"main_lr", s.main_lr}};
  config["space"] = {{"name", setup.space.name()},
                     {"edges", setup.space.edges().size()},
                     {"alphas", setup.space.alphas()},
                     {"resolution", setup.space.resolution()},
                     {"classes", setup.space.classes()}};
  config["data"] = {{"spec", setup.data.spec},
                    {"listing", setup.data.listing_hash},
                    {"classes", setup.data.train->class_names()},
                    {"train_images", setup.train->size()},
                    {"carve_out_images", setup.carve_out->size()},
                    {"test_images", setup.data.test->size()}};
  config["targets"] = Json::array();
  for (const SearchTarget& target : setup.targets) {
    config["targets"].push_back({{"target", target.label()},
                                 {"folder", target.folder},
                                 {"unit", target.unit()},
                                 {"budget", target.budget ? Json(*target.budget) : Json(nullptr)},
                                 {"range", {target.min(), target.max()}}});
  }
  return config;
}

RunFolder OpenRun(const SearchSetup& setup) {
  RunFolder folder = RunFolder::Open(PathOf(setup), RunConfig(setup), ModeOf(setup.options), kFreeKeys);
  AddLogFile(folder.log_path().string());
  for (const std::string& key : folder.changed_free_keys()) {
    LogWarning(StrCat(key, ": the run goes on, but not bit for bit"));
  }
  folder.AddEnvironment(Json{{"nas", kVersion}, {"libtorch", TORCH_VERSION}, {"seed", setup.options.seed}});
  // A space that was given as a file may change or move; the run keeps what it searched.
  std::error_code ignored;
  if (std::filesystem::is_regular_file(setup.options.space, ignored))
    WriteFileAtomic(folder.path() / "space.json", ReadFile(setup.options.space));
  for (const SearchTarget& target : setup.targets) {
    const std::filesystem::path place = folder.path() / "targets" / target.folder;
    MakeDirectory(place);
    if (!target.table_text.empty() && !std::filesystem::exists(place / "table.json")) {
      WriteFileAtomic(place / "table.json", target.table_text);
    }
  }
  for (const std::string& note : setup.data.notes) LogInfo(note);
  LogInfo(StrCat("run folder: ", folder.path().string()));
  return folder;
}

RunFolder AbsentRun(const SearchSetup& setup) { return RunFolder::Absent(RunConfig(setup), kFreeKeys); }

void FinishRun(const SearchSetup& setup, RunFolder& folder, SearchResult* result) {
  result->run = folder.path().string();
  result->space = setup.space.name();
  result->seed = setup.options.seed;
  result->peak_memory_mib = static_cast<double>(PeakResidentBytes()) / (1 << 20);
  folder.AppendMetric({{"event", "end"}, {"exit", result->met() ? 0 : ExitCode(ErrorKind::kInfeasible)}});
  folder.WriteResult(ToJson(*result));
}

}  // namespace nas
