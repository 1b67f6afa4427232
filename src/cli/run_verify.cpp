// SPDX-License-Identifier: Apache-2.0
#include "run_verify.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/data/dataset.h"
#include "nas/export/export_formats.h"
#include "nas/export/passport.h"
#include "nas/latency/latency_table.h"
#include "nas/profile/local_engines.h"
#include "nas/profile/local_table.h"
#include "nas/train/evaluator.h"

namespace nas::cli {
namespace {

namespace fs = std::filesystem;
using Status = PassportCheck::Status;

/// Checks one after the other, each for itself.
class VerifyJob {
 public:
  VerifyJob(const VerifyOptions& options, const Session& session) : options_(options), session_(session) {}

  int Run() {
    fs::path file = options_.passport;
    if (fs::is_directory(file)) file /= kPassportFile;
    passport_ = PassportFromJson(JsonDocument::Load(file.string()));
    folder_ = fs::absolute(file).parent_path();
    checks_ = CheckPassport(passport_, folder_);
    if (!options_.no_data) CheckAccuracy();
    if (options_.time) CheckLatency();
    Print(file);
    const bool holds = std::none_of(checks_.begin(), checks_.end(),
                                    [](const PassportCheck& check) { return check.status == Status::kDiffers; });
    return holds ? 0 : ExitCode(ErrorKind::kVerification);
  }

 private:
  const PassportMetric* Metric(const char* name) const {
    const auto found = std::find_if(passport_.metrics.begin(), passport_.metrics.end(),
                                    [&](const PassportMetric& metric) { return metric.name == name; });
    return found == passport_.metrics.end() ? nullptr : &*found;
  }

  void Add(const std::string& what, Status status, const std::string& detail) {
    checks_.push_back({what, status, detail});
  }

  void CheckAccuracy() {
    const PassportMetric* top1 = Metric("top1");
    if (top1 == nullptr) return;
    const fs::path weights = PassportWeights(passport_, folder_);
    if (weights.empty()) {
      return Add("top-1", Status::kUnchecked, "no unchanged file with the weights is here (export safetensors too)");
    }
    DataOptions data;
    data.spec = options_.data.empty() ? passport_.data : options_.data;
    data.seed = passport_.seed;
    data.threads = options_.threads;
    std::string listing;
    try {
      listing = OpenData(data).listing_hash;
    } catch (const Error& error) {
      if (!options_.data.empty() || error.kind() != ErrorKind::kInput) throw;
      return Add("top-1", Status::kUnchecked, StrCat("the data is not here: ", error.what(), "; give --data"));
    }
    if (!passport_.data_listing.empty()) {
      const bool same = listing == passport_.data_listing;
      Add(StrCat("data ", data.spec), same ? Status::kHolds : Status::kDiffers,
          same ? StrCat("unchanged, XXH3-128 ", listing)
               : StrCat("other files: ", listing, ", not ", passport_.data_listing));
    }
    const Accuracy now = Evaluate(weights, data);
    const double difference = std::abs(now.top1 - top1->value);
    const bool holds = difference <= options_.accuracy_tolerance;
    Add("top-1", holds ? Status::kHolds : Status::kDiffers,
        StrCat(Fixed(100 * now.top1, 2), " % on ", now.images, " images, evaluated again; ",
               Fixed(100 * top1->value, 2), " % stated (", top1->how, ")"));
  }

  Accuracy Evaluate(const fs::path& weights, const DataOptions& data) const {
    const TempDir dir;
    const fs::path arch = dir.path() / "arch.json";
    WriteFileAtomic(arch, PrettyDump(ToJson(passport_.architecture)));
    EvalOptions eval;
    eval.arch = arch.string();
    eval.weights = weights.string();
    eval.data = data.spec;
    eval.seed = data.seed;
    eval.threads = options_.threads;
    const auto progress = session_.MakeProgressSink();
    const Accuracy accuracy = RunEval(eval, progress.get(), session_.stop);
    progress->Finish();
    return accuracy;
  }

  void CheckLatency() {
    const PassportMetric* measured = Metric("measured");
    if (measured == nullptr) {
      return Add("latency", Status::kUnchecked, "the passport states no measured latency");
    }
    const auto source = std::find_if(passport_.sources.begin(), passport_.sources.end(),
                                     [](const PassportFile& file) { return file.role == "table"; });
    if (source == passport_.sources.end() || !fs::exists(source->path)) {
      return Add("latency", Status::kUnchecked, "the latency table is not here");
    }
    const LatencyTable table = LoadTable(source->path);
    LocalTableOptions local;
    local.device = table.identity.is_gpu() ? "cuda" : "cpu";
    local.threads = std::max(1, table.identity.threads);
    local.batch = std::max(1, table.identity.batch);
    local.seed = passport_.seed;
    const auto progress = session_.MakeProgressSink();
    ProfileHooks hooks;
    hooks.engines = LocalEngines();
    hooks.space_dirs = session_.space_dirs;
    hooks.progress = progress.get();
    hooks.stop = session_.stop;
    std::string why;
    if (!IsLocalTable(table, local, hooks, &why)) {
      return Add("latency", Status::kUnchecked, StrCat("this machine is another device: ", why));
    }
    const double now = MeasureNetwork(passport_.architecture, table, local, hooks).median;
    progress->Finish();
    const bool holds = std::abs(now / measured->value - 1) <= options_.latency_tolerance;
    Add("latency", holds ? Status::kHolds : Status::kDiffers,
        StrCat(ToString(Millis{now}), ", measured again; ", ToString(Millis{measured->value}), " stated"));
  }

  void Print(const fs::path& file) const {
    if (session_.json) {
      Json json{{"schema", "nas.verify/1"}, {"passport", file.string()}, {"name", passport_.architecture.name}};
      json["checks"] = Json::array();
      bool ok = true;
      for (const PassportCheck& check : checks_) {
        ok = ok && check.status != Status::kDiffers;
        json["checks"].push_back(
            {{"what", check.what}, {"status", ToLower(ToString(check.status))}, {"detail", check.detail}});
      }
      json["ok"] = ok;
      session_.PrintJson(json);
      return;
    }
    TablePrinter table({"what", "outcome", "detail"});
    for (const PassportCheck& check : checks_) {
      table.AddRow({check.what, std::string(ToString(check.status)), check.detail});
    }
    session_.Print(
        StrCat(passport_.architecture.name, ", exported ", passport_.created, "\n", table.ToString(session_.color)));
  }

  const VerifyOptions& options_;
  const Session& session_;
  Passport passport_;
  fs::path folder_;
  std::vector<PassportCheck> checks_;
};

}  // namespace

int RunVerify(const VerifyOptions& options, const Session& session) { return VerifyJob(options, session).Run(); }

}  // namespace nas::cli
