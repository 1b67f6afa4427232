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
#include "nas/dist/rank_log.h"
#include "nas/nn/device.h"
#include "nas/train/checkpoint.h"
#include "nas/train/network_setup.h"
#include "nas/train/rank_agreement.h"
#include "nas/train/shard_group.h"
#include "nas/train/synced_statistics.h"
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

/// V of a new run: one per rank. A run that goes on keeps its own.
int ShardsOfRun(const TrainOptions& options, int ranks) {
  if (options.ranks.shards > 0) return options.ranks.shards;
  if (options.resume.empty() || !RunFolder::IsRun(options.out)) return ranks;
  return RunFolder::ReadConfig(options.out).at("options").value("shards", 1);
}

/// All ranks mean the same run, with programs and processors that give the same bits.
void Greet(const TrainSetup& setup, const TrainHooks& hooks) {
  if (hooks.ranks->Size() == 1) return;
  Json hello = hooks.hello.empty() ? Json{{"must", Json::object()}, {"may", Json::object()}} : Json::parse(hooks.hello);
  hello["must"]["configuration"] = RunFolder::Absent(detail::TrainConfig(setup), kFreeKeys).config_hash();
  hello["must"]["data"] = setup.data.listing_hash;
  hello["may"]["threads"] = setup.options.threads;
  CheckHello(*hooks.ranks, hooks.host, hello.at("must"), hello.at("may"));
}

TrainResult Train(const TrainOptions& given, const TrainHooks& given_hooks) {
  given.Validate();
  TrainOptions asked = given;
  TrainHooks hooks = given_hooks;
  asked.ranks.shards = ShardsOfRun(given, hooks.ranks == nullptr ? 1 : hooks.ranks->Size());
  std::unique_ptr<Communicator> alone;
  if (hooks.ranks == nullptr && asked.ranks.shards > 1) alone = MakeSingleCommunicator();
  if (alone) hooks.ranks = alone.get();
  const bool root = hooks.ranks == nullptr || hooks.ranks->Rank() == 0;
  if (hooks.ranks != nullptr) {
    ShardOptions{asked.ranks.shards, asked.ranks.reduce == "tree"}.Validate(hooks.ranks->Size());
    SyncedStatistics::Check(asked.ranks, hooks.ranks->Size());
    if (root) hooks.ranks->Publish("finished", FinishedAlready(asked) ? "yes" : "no");
    if (!root && hooks.ranks->Await("finished") == "yes") throw FollowRankZero();
  }
  if (root && FinishedAlready(asked)) {
    LogInfo(StrCat(asked.out, " is finished; this is its result"));
    return TrainResultFromJson(JsonDocument::Load((std::filesystem::path(asked.out) / "result.json").string()));
  }
  const ThreadScope threads(asked.threads);
  TrainSetup setup = detail::PrepareTrain(asked);
  Network network = detail::MakeNetwork(setup, /*load_weights=*/root && !GoesOn(asked));
  if (hooks.ranks != nullptr) Greet(setup, hooks);

  RunFolder folder = root ? RunFolder::Open(PathOf(setup), detail::TrainConfig(setup), asked.mode(), kFreeKeys)
                          : RunFolder::Absent(detail::TrainConfig(setup), kFreeKeys);
  folder.Follow(hooks.metrics);
  if (root) AddLogFile(folder.log_path().string());
  if (hooks.ranks != nullptr) OpenRankLog(*hooks.ranks, folder.path());
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
  if (root) WriteNetwork(setup, folder);
  TrainLoop loop(setup, network, folder, hooks);
  try {
    loop.Restore();
    loop.Run();
    if (!root) throw FollowRankZero();
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
