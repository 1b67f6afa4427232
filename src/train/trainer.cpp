// SPDX-License-Identifier: Apache-2.0
#include "nas/train/trainer.h"

#include <torch/torch.h>

#include <cctype>
#include <nlohmann/json.hpp>
#include <vector>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/core/run_folder.h"
#include "nas/core/text.h"
#include "nas/nn/device.h"
#include "nas/train/network_setup.h"
#include "train_loop.h"
#include "train_setup.h"

namespace nas {
namespace {

using detail::TrainLoop;
using detail::TrainSetup;

/// They say where and how long, not what.
const std::vector<std::string> kFreeKeys{"options.threads", "options.checkpoint_every_s"};

std::string FileStem(const std::string& name) {
  std::string stem;
  for (const char c : name) stem += std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' ? c : '-';
  return stem.empty() ? "network" : stem;
}

std::filesystem::path PathOf(const TrainSetup& setup) {
  if (!setup.options.out.empty()) return setup.options.out;
  return RunFolder::NextDefaultName("runs", StrCat("train-", FileStem(setup.plan.name)));
}

/// Whether a checkpoint will give the weights, so that those of --weights need not be there any more.
bool GoesOn(const TrainOptions& options) {
  const RunMode mode = options.mode();
  return (mode == RunMode::kResume || mode == RunMode::kResumeOrNew) && RunFolder::IsRun(options.out) &&
         !CheckpointStore(std::filesystem::path(options.out) / "checkpoints").Latest().empty();
}

bool FinishedAlready(const TrainOptions& options) {
  if (options.out.empty()) return false;
  std::vector<std::string> free_keys = kFreeKeys;
  free_keys.emplace_back("plan");  // not known yet
  return RunFolder::Check(options.out, detail::TrainConfig(options), options.mode(), free_keys);
}

void WriteNetwork(const TrainSetup& setup, const RunFolder& folder) {
  WriteFileAtomic(folder.path() / "arch.json", PrettyDump(ToJson(setup.architecture)));
  try {
    WriteFileAtomic(folder.path() / "net.config", PrettyDump(ToNetConfig(setup.architecture)));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput) throw;
    LogInfo(StrCat("no net.config: ", error.what()));
  }
}

TrainResult Finish(const TrainSetup& setup, const TrainLoop& loop, const RunFolder& folder) {
  const TrainResult result = loop.Result();
  WriteWeights(folder.path() / "weights.safetensors", setup.architecture, loop.FinalTensors(),
               {{"nas.top1", StrCat(result.test.top1)},
                {"nas.top1.how", setup.options.ema > 0 ? "trained, moving average, test set" : "trained, test set"},
                {"nas.data", setup.plan.data},
                {"nas.classes", Json(setup.data.train->class_names()).dump()}});
  folder.WriteResult(ToJson(result));
  return result;
}

TrainResult Train(const TrainOptions& asked, const TrainHooks& hooks) {
  asked.Validate();
  if (FinishedAlready(asked)) {
    LogInfo(StrCat(asked.out, " is finished; this is its result"));
    return TrainResultFromJson(JsonDocument::Load((std::filesystem::path(asked.out) / "result.json").string()));
  }
  const ThreadScope threads(asked.threads);
  TrainSetup setup = detail::PrepareTrain(asked);
  Network network = detail::MakeNetwork(setup, /*load_weights=*/!GoesOn(asked));

  RunFolder folder = RunFolder::Open(PathOf(setup), detail::TrainConfig(setup), asked.mode(), kFreeKeys);
  folder.Follow(hooks.metrics);
  AddLogFile(folder.log_path().string());
  for (const std::string& change : folder.changed_free_keys()) {
    if (StartsWith(change, "options.threads ")) {
      LogWarning(
          StrCat("the run goes on with another number of threads (", change, "): the same bits need the same number"));
    }
  }
  if (folder.resumed()) {
    const Json& frozen = folder.config().at("plan");
    if (frozen.at("device") != "auto") setup.device = ResolveDevice(frozen.at("device").get<std::string>());
    if (frozen.at("precision") != "auto") setup.plan.precision = frozen.at("precision").get<std::string>();
    setup.plan.device = setup.device.str();
    network.To(setup.device);
  }
  folder.FreezeConfig("plan.device", setup.plan.device);
  folder.FreezeConfig("plan.precision", setup.plan.precision);
  folder.AddEnvironment({{"versions", {{"libtorch", TORCH_VERSION}}},
                         {"seed", setup.options.seed},
                         {"threads", setup.options.threads},
                         {"device", setup.plan.device}});
  for (const std::string& note : setup.data.notes) LogInfo(note);
  LogInfo(StrCat(setup.plan.name, ": ", setup.plan.params, " parameters, ", setup.plan.train_images, " images of ",
                 setup.plan.data, " at ", setup.plan.resolution, " px, ", setup.plan.epochs, " epochs of ",
                 setup.plan.steps_per_epoch, " steps, run folder ", folder.path().string()));
  WriteNetwork(setup, folder);
  TrainLoop loop(setup, network, folder, hooks);
  try {
    loop.Restore();
    loop.Run();
    const TrainResult result = Finish(setup, loop, folder);
    folder.AppendMetric({{"event", "end"}, {"epoch", result.epochs}, {"step", result.steps}, {"exit", 0}});
    return result;
  } catch (const Error& error) {
    try {
      folder.AppendMetric({{"event", "end"}, {"exit", ExitCode(error.kind())}, {"text", error.what()}});
    } catch (const Error&) {
      // The first error says more than a disk that is full.
    }
    throw;
  }
}

}  // namespace

TrainPlan PlanTrain(const TrainOptions& options) {
  options.Validate();
  const ThreadScope threads(options.threads);
  const TrainSetup setup = detail::PrepareTrain(options);
  detail::MakeNetwork(setup, /*load_weights=*/true);
  return setup.plan;
}

TrainResult RunTrain(const TrainOptions& options, const TrainHooks& hooks) {
  try {
    return Train(options, hooks);
  } catch (const c10::OutOfMemoryError&) {
    throw Error(ErrorKind::kUnavailable, StrCat("out of memory at --batch ", options.batch, "; give a smaller one"));
  } catch (const c10::Error& error) {
    ThrowInternal(StrCat("LibTorch: ", error.what_without_backtrace()));
  }
}

}  // namespace nas
