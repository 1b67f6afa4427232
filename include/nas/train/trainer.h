// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "nas/core/json.h"
#include "nas/core/metric_follower.h"
#include "nas/core/progress.h"
#include "nas/core/stop_flag.h"
#include "nas/dist/communicator.h"
#include "nas/train/evaluate.h"
#include "nas/train/train_options.h"

namespace nas {

/// What a training would be, known before it starts.
struct TrainPlan {
  std::string name;  ///< of the architecture
  std::string data;  ///< as given to --data
  int resolution = 0;
  int classes = 0;
  std::int64_t params = 0;
  std::int64_t macs = 0;  ///< of one image
  std::int64_t train_images = 0;
  std::int64_t test_images = 0;
  int epochs = 0;
  int batch = 0;
  double lr = 0;
  std::int64_t steps_per_epoch = 0;
  std::string device;
  std::string precision;

  std::int64_t steps() const { return steps_per_epoch * epochs; }
};
Json ToJson(const TrainPlan& plan);

struct TrainResult {
  std::string run;   ///< the run folder
  std::string name;  ///< of the architecture
  std::uint64_t seed = 0;
  std::int64_t params = 0;
  std::int64_t macs = 0;
  int epochs = 0;
  std::int64_t steps = 0;
  double train_loss = 0;      ///< mean of the last epoch, smoothing included
  double train_accuracy = 0;  ///< of the last epoch, on augmented images
  Accuracy test;              ///< of the moving average where there is one
  double wall_s = 0;          ///< over all starts of the run
  double images_per_s = 0;    ///< of the training steps, evaluation left out
};
/// As `train --json` prints it ("nas.train/1") and result.json holds it.
Json ToJson(const TrainResult& result);
TrainResult TrainResultFromJson(const JsonDocument& document);

/// All may be null.
struct TrainHooks {
  Progress* progress = nullptr;
  const StopFlag* stop = nullptr;
  std::shared_ptr<MetricFollower> metrics = nullptr;  ///< told of every line of metrics.jsonl
  Communicator* ranks = nullptr;                      ///< the processes of the run; null = this one is alone
  std::string host = "";                              ///< of this rank
  std::string hello = "";                             ///< JSON {must, may}: in what the ranks have to agree
  std::function<void()> fence = nullptr;              ///< throws once the run belongs to a later incarnation
};

/// Reads everything, builds the network, and says what the training would be. Throws like `RunTrain`; writes nothing.
TrainPlan PlanTrain(const TrainOptions& options);

/// Trains a network and writes its run folder (cli.md): config.json, env.json, metrics.jsonl, nas.log, checkpoints/,
/// arch.json, net.config, weights.safetensors, result.json. Resumed runs give the same bits as uninterrupted ones on a
/// CPU with the same number of threads; a finished one returns at once. Throws kUsage, kInput (files, data, place,
/// another configuration), kUnavailable (device), kTraining ("diverged at step n"), kCheckpointed (stopped on request,
/// after the checkpoint).
TrainResult RunTrain(const TrainOptions& options, const TrainHooks& hooks);

}  // namespace nas
