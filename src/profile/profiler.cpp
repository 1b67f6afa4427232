// SPDX-License-Identifier: Apache-2.0
#include "nas/profile/profiler.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "export_model.h"
#include "measure_items.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/core/text.h"
#include "nas/latency/certificate.h"
#include "partial_file.h"
#include "table_builder.h"

namespace nas {
namespace {

namespace fs = std::filesystem;

constexpr double kCommandDeadlineFactor = 5;

SearchSpace LoadSpace(const ProfileOptions& options, const ProfileHooks& hooks) {
  return SearchSpace::Load(options.space, options.space_options, hooks.space_dirs);
}

ProfilePlan PlanFor(const ProfileOptions& options, const SearchSpace& space) {
  PlanOptions plan;
  plan.plan = options.plan;
  plan.held_out = options.held_out;
  plan.isolated = options.isolated || options.engine == "command";
  plan.batch = options.batch;
  plan.seed = options.seed;
  ProfilePlan made = MakePlan(space, plan);
  made.protocol.allow_noisy = options.allow_noisy;
  // One process per item, and a file to be written for it.
  if (options.engine == "command") made.protocol.deadline_seconds *= kCommandDeadlineFactor;
  return made;
}

// What a partial file has to agree in, as text.
std::string DescribeSpace(const SearchSpace& space) {
  return StrCat(space.name(), ", ", space.resolution(), " px, ", space.classes(), " classes, width ",
                space.options().width_mult);
}
std::string DescribePlan(const ProfilePlan& plan) {
  return StrCat(plan.name, plan.protocol.chain ? "" : ", isolated", ", ", plan.held_out.size(), " held out");
}

std::string TableName(const ProfileOptions& options) {
  return options.name.empty() ? fs::path(options.out).stem().string() : options.name;
}

class ProfileJob {
 public:
  ProfileJob(const ProfileOptions& options, const ProfileHooks& hooks)
      : options_(options), hooks_(hooks), space_(LoadSpace(options, hooks)), plan_(PlanFor(options, space_)) {}

  ProfileResult Run() {
    CheckPlaces();
    EngineOptions engine_options;
    engine_options.threads = options_.threads;
    engine_options.batch = options_.batch;
    engine_options.cores = options_.cores;
    engine_options.device = options_.device;
    engine_options.seed = options_.seed;
    engine_options.transport = options_.transport;
    engine_options.agent = hooks_.agent;
    engine_options.agent.ssh_config = options_.ssh_config;
    engine_options.agent.silence_seconds = options_.silence_seconds;
    engine_options.command.program = options_.command;
    engine_options.command.make_model = [this](const MeasureItem& item, const std::string& folder) {
      return detail::ExportOnnx(item, folder, hooks_.program);
    };
    engine_ = detail::OpenEngine(hooks_, options_.engine, engine_options);
    const DeviceIdentity identity = detail::ReadIdentity(*engine_);
    if (options_.again) {
      table_ = LoadTable(options_.out);
      CheckSameDevice(*table_, identity);
      for (const MeasureRun& run : table_->runs) run_ = std::max(run_, run.run + 1);
    }
    detail::PartialFile partial = OpenPartial(identity);
    std::map<std::string, ItemResult> results = partial.results();
    if (!options_.allow_noisy) std::erase_if(results, [&](const auto& entry) { return Doubtful(entry.second); });
    MeasuringReport report;
    double earlier_seconds = 0;
    for (const auto& [id, result] : results) earlier_seconds += result.seconds;
    if (results.size() < plan_.Items().size()) {
      report = detail::MeasureItems(*engine_, plan_.protocol, plan_.reference, plan_.Items(), hooks_, results,
                                    [&](const ItemResult& result) { partial.Add(result); });
      if (hooks_.progress != nullptr) hooks_.progress->Finish();
    } else {
      report.too_noisy = detail::NoiseOf(results, plan_.protocol);
    }
    report.seconds += earlier_seconds;
    CheckNotStopped(report, results.size());
    // Out of time says more than the few samples that came of it.
    if (!report.deadline) CheckQuiet(report);

    LatencyTable table = table_ ? *table_ : detail::NewTable(*engine_, TableName(options_), plan_, space_);
    detail::AddRun(table, plan_, results, report, run_, partial.header().start);
    const std::string missing = detail::MissingForFit(table, plan_);
    if (!missing.empty()) {
      throw Error(ErrorKind::kUnavailable,
                  StrCat("too little was measured for a fit: ", missing, Kept(), "; go on with --resume"));
    }
    CheckQuiet(report);
    detail::FitAndCertify(table, !report.too_noisy.empty());
    SaveTable(table, options_.out);
    partial.Remove();
    return Summarise(table, report, results);
  }

 private:
  std::string PartialName() const { return detail::PartialFile::PathFor(options_.out).string(); }
  std::string Kept() const { return StrCat("; what was measured is kept in ", PartialName()); }

  // Worth another try when a profile is gone on with.
  bool Doubtful(const ItemResult& result) const {
    return !result.error.empty() || result.Has("unstable") || result.noise() > plan_.protocol.max_noise_floor;
  }

  void CheckPlaces() const {
    const bool table = fs::exists(options_.out);
    const bool partial = fs::exists(PartialName());
    if (options_.again && !table) {
      ThrowInput(StrCat("there is no table at ", options_.out, " to add a run to; leave --again out first"));
    }
    if (table && !options_.again && !options_.force) {
      ThrowInput(
          StrCat(options_.out, " exists; add a run with --again, replace it with --force, or choose another --out"));
    }
    if (partial && !options_.resume && !options_.force && !options_.again) {
      ThrowInput(StrCat(PartialName(),
                        " holds results of an unfinished profile; go on with --resume, or drop them with "
                        "--force"));
    }
    const fs::path folder = fs::path(options_.out).parent_path();
    if (!folder.empty()) MakeDirectory(folder);
    CheckWritable(folder.empty() ? fs::path(".") : folder);
  }

  void CheckSameDevice(const LatencyTable& table, const DeviceIdentity& identity) const {
    const auto differences = CompareIdentities(identity, table.identity);
    if (differences.empty()) return;
    ThrowInput(StrCat(options_.out, " is the table of another device: ", ToString(differences),
                      "; measure there, or write a table of its own with another --out"));
  }

  detail::PartialFile OpenPartial(const DeviceIdentity& identity) const {
    detail::PartialHeader header;
    header.identity = identity;
    header.space = DescribeSpace(space_);
    header.plan = DescribePlan(plan_);
    header.seed = options_.seed;
    header.run = run_;
    header.start = NowIso8601();
    const bool go_on = (options_.resume || options_.again) && fs::exists(PartialName());
    return go_on ? detail::PartialFile::Resume(PartialName(), header)
                 : detail::PartialFile::Create(PartialName(), header);
  }

  void CheckNotStopped(const MeasuringReport& report, std::size_t measured) const {
    if (report.stopped) {
      throw Error(ErrorKind::kCheckpointed, StrCat("stopped after ", measured, " of ", plan_.Items().size(), " items",
                                                   Kept(), "; go on with --resume"));
    }
  }

  void CheckQuiet(const MeasuringReport& report) const {
    if (!report.too_noisy.empty() && !options_.allow_noisy) {
      throw Error(ErrorKind::kUnavailable,
                  StrCat("this machine is too noisy to give a figure: ", report.too_noisy, Kept(),
                         "; end other programs and go on with --resume, or accept it with --allow-noisy"));
    }
  }

  ProfileResult Summarise(const LatencyTable& table, const MeasuringReport& report,
                          const std::map<std::string, ItemResult>& results) const {
    ProfileResult result;
    result.path = options_.out;
    result.table = table;
    for (const auto& [id, item] : results) {
      if (!item.error.empty()) continue;
      ++result.items;
      result.whole_nets += StartsWith(id, "net ");
    }
    result.seconds = report.seconds;
    if (!report.too_noisy.empty()) {
      result.warnings.push_back(StrCat("noisy: ", report.too_noisy, "; intervals are wider"));
    }
    if (report.deadline) result.warnings.push_back("out of time: the table holds what was measured until then");
    if (report.errors > 0) result.warnings.push_back(StrCat(report.errors, " items could not be run"));
    const std::string& governor = table.recorded.governor;
    if (!governor.empty() && governor != "performance") {
      result.warnings.push_back(StrCat("the frequency governor is \"", governor, "\", not \"performance\""));
    }
    for (const std::string& warning : result.warnings) LogWarning(warning);
    return result;
  }

  const ProfileOptions& options_;
  const ProfileHooks& hooks_;
  SearchSpace space_;
  ProfilePlan plan_;
  std::unique_ptr<Engine> engine_;
  std::optional<LatencyTable> table_;  // the one that a run is added to
  int run_ = 1;
};

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

const SplitReport* ProfileResult::held_out() const {
  if (!table.certificate) return nullptr;
  for (const SplitReport& report : table.certificate->splits) {
    if (report.split == "nets:held-out") return &report;
  }
  return nullptr;
}

Json ToJson(const ProfileResult& result) {
  const SplitReport* report = result.held_out();
  const auto& certificate = result.table.certificate;
  Json json{{"schema", "nas.profile-device/1"},
            {"table", result.path},
            {"device", result.table.id()},
            {"items", result.items},
            {"whole_nets", result.whole_nets},
            {"n", report ? report->n : 0},
            {"mape", report ? Json(report->mape) : Json(nullptr)},
            {"within_10pct", report ? Json(report->within_10pct) : Json(nullptr)},
            {"spearman", report ? OrNull(report->spearman) : Json(nullptr)},
            {"coverage_95", report ? OrNull(report->coverage_95) : Json(nullptr)},
            {"extrapolated_share", report ? OrNull(report->extrapolated_share) : Json(nullptr)},
            {"noise_floor", certificate ? OrNull(certificate->within_run) : Json(nullptr)},
            {"between_runs", certificate ? OrNull(certificate->between_runs) : Json(nullptr)},
            {"seconds", result.seconds},
            {"flags", result.warnings}};
  if (report && report->regret) {
    json["regret"] = {{"share_met", report->regret->share_met},
                      {"worst_overshoot_pct", report->regret->worst_overshoot_pct}};
  }
  return json;
}

ProfileResult RunProfile(const ProfileOptions& options, const ProfileHooks& hooks) {
  options.Validate();
  FindEngine(hooks.engines.empty() ? BuiltinEngines() : hooks.engines, options.engine);
  return ProfileJob(options, hooks).Run();
}

ProfilePlan PlanProfile(const ProfileOptions& options, const ProfileHooks& hooks) {
  options.Validate();
  FindEngine(hooks.engines.empty() ? BuiltinEngines() : hooks.engines, options.engine);
  return PlanFor(options, LoadSpace(options, hooks));
}

}  // namespace nas
