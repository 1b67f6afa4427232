// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <ATen/core/Tensor.h>

#include "nas/core/json.h"
#include "nas/data/dataset.h"
#include "nas/data/loader_options.h"
#include "nas/nn/network.h"
#include "nas/space/architecture.h"
#include "nas/train/lr_schedule.h"
#include "nas/train/train_options.h"
#include "nas/train/trainer.h"

namespace nas::detail {

/// Everything a training is made of before it starts: checked, resolved, derived.
struct TrainSetup {
  TrainOptions options;
  Architecture architecture;  ///< with the data's classes, the asked resolution and dropout
  DataSplits data;
  at::Device device{at::kCPU};
  TrainPlan plan;

  LoaderOptions TrainLoader() const;
  LoaderOptions TestLoader() const;
  LrSchedule Schedule() const;
};

/// Throws kUsage, kInput, kUnavailable, in the order usage, files, data.
TrainSetup PrepareTrain(const TrainOptions& options);

/// The setup's network on its device; fresh from the seed, or with the options' weights where `load_weights`.
Network MakeNetwork(const TrainSetup& setup, bool load_weights);

/// What identifies the run: the options, and what was derived from files and data.
Json TrainConfig(const TrainSetup& setup);
/// The part of it that is known from the flags alone.
Json TrainConfig(const TrainOptions& options);

}  // namespace nas::detail
