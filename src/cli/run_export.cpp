// SPDX-License-Identifier: Apache-2.0
#include "run_export.h"

#include <algorithm>
#include <filesystem>

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/hash.h"
#include "nas/core/log.h"
#include "nas/core/machine.h"
#include "nas/core/run_folder.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/core/version.h"
#include "nas/data/loader.h"
#include "nas/data/transform.h"
#include "nas/export/export_network.h"
#include "nas/nn/device.h"
#include "nas/train/network_setup.h"
#include "run_facts.h"

namespace nas::cli {
namespace {

namespace fs = std::filesystem;

/// Images from here on are treated as photographs where no data says what they are.
constexpr int kPhotoSide = 64;

/// The interpreter of the project's virtual environment, looked for above the program; else the one on PATH.
std::string DefaultPython(const Session& session) {
  for (fs::path place = session.bin_dir; place.has_relative_path(); place = place.parent_path()) {
    const fs::path python = place / ".venv" / "bin" / "python";
    if (fs::exists(python)) return python.string();
  }
  return "python3";
}

PassportFile Source(const std::string& role, const fs::path& file) {
  PassportFile source;
  source.role = role;
  source.path = fs::absolute(file).lexically_normal().string();
  source.hash = HashFile(file);
  source.bytes = static_cast<std::int64_t>(fs::file_size(file));
  return source;
}

/// Everything about one export, in the order in which it becomes known.
class ExportJob {
 public:
  ExportJob(const ExportOptions& options, const Session& session) : options_(options), session_(session) {}

  int Run() {
    // Writing is a few passes over memory: more threads would mostly wait for each other.
    const ThreadScope threads(options_.verify ? options_.threads : 1);
    const at::NoGradGuard no_grad;
    FindNetwork();
    plan_.out = OutFolder();
    plan_.formats = options_.formats;
    plan_.force = options_.force;
    CheckExportPlace(plan_);

    Network network(passport_.architecture, options_.seed);
    LoadNetwork(network);
    model_.network = &network;
    model_.keep_bn = options_.keep_bn;
    model_.fp16 = options_.fp16;
    UseData(network);
    FillPassport();
    ExportNetwork(model_, plan_, &passport_);
    Print();
    return 0;
  }

 private:
  void FindNetwork() {
    if (options_.run.empty()) {
      passport_.architecture = LoadArchitecture(options_.arch);
      weights_ = options_.weights;
      data_ = options_.data;
      data_seed_ = options_.seed;
      return;
    }
    facts_ = ReadRunFacts(options_.run, options_.target);
    passport_.architecture = LoadArchitecture((facts_->folder / "arch.json").string());
    weights_ = facts_->folder / "weights.safetensors";
    data_ = options_.data.empty() ? facts_->data : options_.data;
    data_seed_ = facts_->seed;
  }

  fs::path OutFolder() const {
    if (!options_.out.empty()) return options_.out;
    if (facts_) return facts_->folder / "export";
    const std::string& name = passport_.architecture.name;
    return RunFolder::NextDefaultName("runs", StrCat("export-", name.empty() ? "network" : name));
  }

  void LoadNetwork(Network& network) {
    if (weights_.empty()) {
      model_.weights = "random";
      LogWarning(StrCat("no --weights: the network gets random ones from seed ", options_.seed,
                        "; it runs, but knows nothing"));
      return;
    }
    model_.weights = "trained";
    LoadWeights(network, weights_, /*may_differ_in_classifier=*/false);
    passport_.sources.push_back(Source("weights", weights_));
  }

  /// Preprocessing, class names and images to verify with come from the data that the network was made for.
  void UseData(const Network& network) {
    const Architecture& a = network.architecture();
    LoaderOptions loading;
    loading.resolution = a.resolution;
    loading.small_images = a.resolution < kPhotoSide;
    std::optional<DataSplits> data;
    if (!data_.empty() || options_.verify) data = OpenIfThere();
    if (data && !data_.empty()) {
      loading.small_images = data->small_images;
      if (data->test->classes() == a.classes()) {
        model_.class_names = data->test->class_names();
      } else {
        LogWarning(StrCat(data->spec, " has ", data->test->classes(), " classes, the network ", a.classes(),
                          " outputs: no class names travel along"));
      }
    }
    const Preprocessing steps = PreprocessingFor(loading);
    model_.image_steps = {steps.resize_short, steps.crop, steps.mean, steps.std};
    if (options_.verify) plan_.verify = Inputs(*data, loading);
  }

  std::optional<DataSplits> OpenIfThere() const {
    DataOptions options;
    options.spec = data_.empty() ? "demo" : data_;
    options.seed = data_seed_;
    options.threads = options_.threads;
    try {
      DataSplits data = OpenData(options);
      for (const std::string& note : data.notes) LogInfo(note);
      return data;
    } catch (const Error& error) {
      if (options_.verify || !options_.data.empty() || error.kind() != ErrorKind::kInput) throw;
      LogWarning(StrCat("the run's data cannot be read (", error.what(),
                        "): preprocessing is chosen by the resolution "
                        "and no class names travel along; give --data"));
      return std::nullopt;
    }
  }

  VerifyInputs Inputs(const DataSplits& data, LoaderOptions loading) const {
    const std::int64_t count = std::min<std::int64_t>(options_.images, data.test->size());
    if (count < 8) ThrowInput(StrCat(data.spec, " has ", count, " test images; at least 8 are needed to verify with"));
    std::vector<std::int64_t> indices;  // spread over the set, which is often sorted by class
    for (std::int64_t i = 0; i < count; ++i) indices.push_back(i * data.test->size() / count);
    loading.batch = static_cast<int>(count);
    loading.threads = options_.threads;
    Loader loader(Subset(data.test, std::move(indices)), loading);
    Batch batch;
    loader.Next(&batch);
    VerifyInputs inputs;
    inputs.images = batch.images.clone();
    inputs.logits = const_cast<Network*>(model_.network)->Forward(inputs.images, BnMode::kEval);
    inputs.python = options_.python.empty() ? DefaultPython(session_) : options_.python;
    return inputs;
  }

  void FillPassport() {
    passport_.params = CountParams(passport_.architecture);
    passport_.macs = CountMacs(passport_.architecture).value;
    passport_.weights = model_.weights;
    passport_.seed = facts_ ? facts_->seed : options_.seed;
    passport_.image_steps = ToJson(model_.image_steps);
    passport_.class_names = model_.class_names;
    passport_.versions = {{"nas", kVersion}, {"libtorch", TORCH_VERSION}};
    const MachineInfo machine = ProbeMachine();
    passport_.machine = {{"cpu", machine.cpu_model}, {"cores", machine.cores}, {"os", machine.os}};
    passport_.created = NowIso8601();
    if (!facts_) {
      passport_.sources.push_back(Source("architecture", options_.arch));
      return;
    }
    passport_.run = fs::absolute(options_.run).lexically_normal().string();
    passport_.config_hash = facts_->config_hash;
    passport_.data = facts_->data;
    passport_.data_listing = facts_->data_listing;
    passport_.metrics = facts_->metrics;
    passport_.sources.push_back(Source("config", fs::path(options_.run) / "config.json"));
    const fs::path table = facts_->folder / "table.json";
    if (fs::exists(table)) passport_.sources.push_back(Source("table", table));
  }

  void Print() const {
    if (session_.json) {
      Json json{{"schema", "nas.export/1"},     {"out", plan_.out.string()},  {"name", passport_.architecture.name},
                {"weights", passport_.weights}, {"params", passport_.params}, {"macs", passport_.macs}};
      const Json passport = ToJson(passport_);
      json["files"] = passport["exported"];
      json["passport"] = (plan_.out / kPassportFile).string();
      session_.PrintJson(json);
      return;
    }
    TablePrinter table({"file", "size", "largest difference", "top-1 agrees", "verified by"});
    for (const PassportFile& file : passport_.exported) {
      std::string difference = "-", agreement = "-", how = "not asked (--verify)";
      if (file.verified) {
        const Json& v = *file.verified;
        if (v.contains("max_difference")) difference = StrCat(v["max_difference"].get<double>());
        if (v.contains("top1_agreement")) agreement = Fixed(100 * v["top1_agreement"].get<double>(), 1) + " %";
        how = v["how"].get<std::string>();
      }
      table.AddRow({(plan_.out / file.path).string(), ToString(Bytes{file.bytes}), difference, agreement, how});
    }
    session_.Print(StrCat(passport_.architecture.name, ": ", CountToString(passport_.params), " params, ",
                          CountToString(passport_.macs), " MACs, ", passport_.weights, " weights\n",
                          table.ToString(session_.color)));
  }

  const ExportOptions& options_;
  const Session& session_;
  std::optional<RunFacts> facts_;
  fs::path weights_;
  std::string data_;
  std::uint64_t data_seed_ = 0;
  ExportModel model_;
  ExportPlan plan_;
  Passport passport_;
};

}  // namespace

int RunExport(const ExportOptions& options, const Session& session) { return ExportJob(options, session).Run(); }

}  // namespace nas::cli
