// SPDX-License-Identifier: Apache-2.0
#include "nas/train/train_options.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "nas/core/error.h"
#include "nas/core/option_checks.h"
#include "option_checks.h"

namespace nas {
namespace {

constexpr int kMaxEpochs = 100000;
constexpr int kMaxBatch = 65536;
constexpr std::int64_t kMaxCount = 1000000000;

}  // namespace

void TrainOptions::Validate() const {
  detail::CheckNetworkSource(arch, run, target);
  CheckRange("--limit-per-class", static_cast<double>(limit_per_class), 0, static_cast<double>(kMaxCount));
  if (resolution != 0) CheckRange("--resolution", resolution, 8, 1024);
  if (epochs != 0) CheckRange("--epochs", epochs, 1, kMaxEpochs);
  CheckRange("--warmup-epochs", warmup_epochs, 0, epochs > 0 ? epochs - 1 : kMaxEpochs);
  if (batch != 0) CheckRange("--batch", batch, 2, kMaxBatch);
  if (lr != 0) CheckRange("--lr", lr, 1e-9, 1e9);
  CheckRange("--momentum", momentum, 0, 0.9999);
  CheckRange("--weight-decay", weight_decay, 0, 1);
  CheckRange("--label-smoothing", label_smoothing, 0, 0.9999);
  if (dropout != -1) CheckRange("--dropout", dropout, 0, 0.9999);
  CheckChoice("--augmentation", augmentation, {"auto", "normal", "strong", "none"});
  CheckRange("--ema", ema, 0, 0.999999);
  CheckRange("--eval-every", eval_every, 1, kMaxEpochs);
  CheckRange("--checkpoint-every", checkpoint_every_s, 0, 1e9);
  CheckChoice("--precision", precision, {"auto", "fp32", "bf16"});
  CheckChoice("--kernels", kernels, {"auto", "fused", "torch"});
  if (!resume.empty()) CheckChoice("--resume", resume, {"yes", "auto"});
  CheckRange("--threads", threads, 1, 4096);
  ranks.Validate();
  if (!resume.empty() && out.empty()) ThrowUsage("--resume needs the run folder: --out DIR --resume");
  if (!resume.empty() && force) ThrowUsage("--resume and --force exclude each other; give one");
}

RunMode TrainOptions::mode() const {
  if (force) return RunMode::kForce;
  if (resume == "auto") return RunMode::kResumeOrNew;
  return resume.empty() ? RunMode::kNew : RunMode::kResume;
}

Json ToJson(const TrainOptions& o) {
  Json json;
  json["arch"] = o.arch;
  json["run"] = o.run;
  json["target"] = o.target;
  json["weights"] = o.weights;
  json["data"] = o.data;
  json["limit_per_class"] = o.limit_per_class;
  json["resolution"] = o.resolution;
  json["epochs"] = o.epochs;
  json["warmup_epochs"] = o.warmup_epochs;
  json["batch"] = o.batch;
  json["lr"] = o.lr;
  json["momentum"] = o.momentum;
  json["weight_decay"] = o.weight_decay;
  json["label_smoothing"] = o.label_smoothing;
  json["dropout"] = o.dropout;
  json["augmentation"] = o.augmentation;
  json["ema"] = o.ema;
  json["eval_every"] = o.eval_every;
  json["checkpoint_every_s"] = o.checkpoint_every_s;
  json["device"] = o.device;
  json["precision"] = o.precision;
  json["kernels"] = o.kernels;
  json["seed"] = o.seed;
  json["threads"] = o.threads;
  o.ranks.AddTo(&json);
  return json;
}

TrainOptions TrainOptionsFromJson(const JsonDocument& document, const std::string& pointer) {
  ObjectReader reader(document, pointer);
  TrainOptions o;
  o.arch = reader.String("arch");
  o.run = reader.String("run");
  o.target = reader.String("target");
  o.weights = reader.String("weights");
  o.data = reader.String("data");
  o.limit_per_class = reader.Int("limit_per_class", 0, kMaxCount);
  o.resolution = static_cast<int>(reader.Int("resolution", 0, 1024));
  o.epochs = static_cast<int>(reader.Int("epochs", 0, kMaxEpochs));
  o.warmup_epochs = static_cast<int>(reader.Int("warmup_epochs", 0, kMaxEpochs));
  o.batch = static_cast<int>(reader.Int("batch", 0, kMaxBatch));
  o.lr = reader.Number("lr");
  o.momentum = reader.Number("momentum");
  o.weight_decay = reader.Number("weight_decay");
  o.label_smoothing = reader.Number("label_smoothing");
  o.dropout = reader.Number("dropout");
  o.augmentation = reader.Choice("augmentation", {"auto", "normal", "strong", "none"});
  o.ema = reader.Number("ema");
  o.eval_every = static_cast<int>(reader.Int("eval_every", 1, kMaxEpochs));
  o.checkpoint_every_s = reader.Number("checkpoint_every_s");
  o.device = reader.String("device");
  o.precision = reader.Choice("precision", {"auto", "fp32", "bf16"});
  // Runs of the time before there was a choice.
  if (reader.Has("kernels")) o.kernels = reader.Choice("kernels", {"auto", "fused", "torch"});
  // Seeds above 2^63 do not fit Int.
  o.seed = reader.Raw("seed").get<std::uint64_t>();
  o.threads = static_cast<int>(reader.Int("threads", 1, 4096));
  if (reader.Has("shards")) o.ranks.shards = static_cast<int>(reader.Int("shards", 1, 65536));
  if (reader.Has("reduce")) o.ranks.reduce = reader.Choice("reduce", {"ring", "tree"});
  if (reader.Has("sync_bn")) o.ranks.sync_bn = reader.Bool("sync_bn");
  reader.Finish();
  return o;
}

int DefaultBatch(std::int64_t train_images, bool gpu) {
  constexpr std::int64_t kSmallSet = 4096;
  constexpr std::int64_t kLargeSet = 200000;
  if (train_images >= kSmallSet) return gpu && train_images >= kLargeSet ? 256 : 128;
  int batch = 8;
  while (batch * 2 <= train_images / 32) batch *= 2;
  return batch;
}

}  // namespace nas
