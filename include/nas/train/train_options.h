// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "nas/core/json.h"
#include "nas/core/run_folder.h"
#include "nas/dist/rank_options.h"

namespace nas {

/// Everything that `nas train` can be told. The recipe is that of the released retraining code (proxyless.md §9
/// "Retraining found nets"). What is said to be derived from the data set stands in `TrainPlan` once that is known.
struct TrainOptions {
  std::string arch;                  ///< architecture file (any form that `arch show` reads); or
  std::string run;                   ///< run folder whose network is trained anew
  std::string target;                ///< target of `run`, where it has several
  std::string weights;               ///< safetensors to start from; "" = fresh
  std::string data;                  ///< demo | DIR | cifar10:DIR; "" = that of `run`, else demo
  std::int64_t limit_per_class = 0;  ///< training images per class; 0 = all
  int resolution = 0;                ///< input side in pixels, 8…1024; 0 = the architecture's own
  int epochs = 0;                    ///< 1…100,000; 0 = 60, or 24 for the demo set (ImageNet's recipe: 300)
  int warmup_epochs = 0;             ///< linear rise of the learning rate; < epochs
  int batch = 0;                     ///< images per step; 0 = by the number of training images, see `DefaultBatch`
  double lr = 0;                     ///< highest learning rate; 0 = 0.05·batch/256, at least 0.005
  double momentum = 0.9;             ///< Nesterov, 0…1
  double weight_decay = 4e-5;        ///< L2 on weights and biases, none on BN
  double label_smoothing = 0.1;      ///< 0…1
  double dropout = -1;               ///< rate before the classifier, 0…1; −1 = the architecture's own
  std::string augmentation =
      "auto";          ///< auto | normal | strong | none; auto = strong colour jitter, normal for small images
  double ema = 0;      ///< decay of the moving average of weights that is evaluated and kept, 0…1; 0 = none
  int eval_every = 1;  ///< epochs between evaluations on the test set; the last epoch always is
  double checkpoint_every_s = 600;  ///< seconds between checkpoints inside an epoch; one is written at each epoch's end
  std::string device = "auto";      ///< auto | cpu | cuda[:i]
  std::string precision = "auto";   ///< auto | fp32 | bf16; auto = fp32
  std::string kernels = "auto";     ///< auto | fused | torch: what computes MBConv blocks
  std::string out;                  ///< run folder; "" = runs/train-<name>-<date>-<n>
  std::string resume;               ///< "" = no, "yes" = must exist, "auto" = start when there is nothing to resume
  bool force = false;               ///< replace an existing run folder
  bool dry_run = false;             ///< `PlanTrain` only
  std::uint64_t seed = 0;           ///< of initialisation, order, augmentation and dropout
  int threads = 1;                  ///< of the CPU's computing; the same bits need the same number
  RankOptions ranks;                ///< how the training is spread over processes

  /// Throws kUsage naming flag, value and what is legal.
  void Validate() const;
  RunMode mode() const;  ///< of the run folder, from `resume` and `force`
};

/// What decides the bits of a training, for config.json and the resume check (places and resume flags left out).
Json ToJson(const TrainOptions& options);
/// Inverse, for runs that go on or are looked at later. Throws kInput naming file, line and key.
TrainOptions TrainOptionsFromJson(const JsonDocument& document, const std::string& pointer);

/// 128 images (256 from 200,000 training images on a GPU); below 4,096 images the largest power of two ≤ N/32, at least
/// 8 (proxyless.md N10).
int DefaultBatch(std::int64_t train_images, bool gpu);

}  // namespace nas
