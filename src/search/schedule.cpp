// SPDX-License-Identifier: Apache-2.0
#include "nas/search/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/train/train_options.h"

namespace nas {
namespace {

// Higher than the released search's 0.05 and 0.025 at batch 256, which are for a hundred epochs of ImageNet: in short
// searches those leave the weights near their start. On the demo images (24 epochs, batch 64) the network found has 35
// % with them, 54 % at 0.03 and 72 % at 0.08 (58 % at 0.2).
constexpr double kReferenceBatch = 256;
constexpr double kWeightLr = 0.2;
constexpr double kLeastWeightLr = 0.02;
// At 0.1 a supernet learns nothing in its first epoch of CIFAR-10 (bench/results/supernet_recipe.json).
constexpr double kMostWeightLr = 0.05;
constexpr int kWholeMainEpochs = 8;  // from here on, main epoch 0 has no architecture steps
constexpr std::int64_t kEntropyAlarmUpdates = 1000;

void Validate(const ScheduleInput& in) {
  if (in.train_images < 1) ThrowUsage("no training images are left beside the architecture-validation set; add images");
  if (in.carve_out_images < 1) ThrowUsage("the architecture-validation set is empty; add images");
  if (in.epochs < 1) ThrowUsage(StrCat("epochs ", in.epochs, " must be at least 1"));
  if (in.warmup_epochs < -1 || in.warmup_epochs >= in.epochs) {
    ThrowUsage(StrCat("warmup-epochs ", in.warmup_epochs, " must leave at least one of ", in.epochs,
                      " epochs for the architecture; give 0 to ", in.epochs - 1));
  }
  if (in.batch < 0) ThrowUsage(StrCat("batch ", in.batch, " must be positive"));
  if (in.targets < 1) ThrowUsage(StrCat("number of targets ", in.targets, " must be at least 1"));
}

double Cosine(double lr, std::int64_t step, std::int64_t steps) {
  const double progress = static_cast<double>(step) / static_cast<double>(steps);
  return 0.5 * lr * (1 + std::cos(std::numbers::pi * progress));
}

}  // namespace

double AlphaLrAtPaperTravel(std::int64_t updates) {
  return kPaperAlphaTravel / static_cast<double>(std::max<std::int64_t>(updates, 1));
}

double AlphaLr(std::int64_t updates) {
  const double count = static_cast<double>(std::max<std::int64_t>(updates, 1));
  return std::max(1e-3, std::min({AlphaLrAtPaperTravel(updates), 1 / std::sqrt(count), 0.05}));
}

std::int64_t CarveOutSize(std::int64_t train_images, int classes) {
  if (classes < 1) ThrowInput(StrCat("a data set of ", classes, " classes cannot be divided by class"));
  return std::max<std::int64_t>(classes, std::min<std::int64_t>(50000, train_images / 10));
}

Schedule DeriveSchedule(const ScheduleInput& input) {
  Validate(input);
  Schedule out;
  out.epochs = input.epochs;
  out.warmup_epochs = input.warmup_epochs >= 0 ? input.warmup_epochs : input.epochs / 4;
  const int quiet_epochs = input.epochs >= kWholeMainEpochs ? 1 : 0;
  out.arch_epochs = std::max(1, input.epochs - out.warmup_epochs - quiet_epochs);
  out.batch = input.batch > 0 ? input.batch : DefaultBatch(input.train_images, input.gpu);
  out.arch_batch = static_cast<int>(std::min<std::int64_t>(out.batch, input.carve_out_images));
  out.arch_drop_last = input.carve_out_images >= out.batch;
  out.steps_per_epoch = (input.train_images + out.batch - 1) / out.batch;

  const std::int64_t most_per_arch_step = std::min<std::int64_t>(5, out.steps_per_epoch);
  const double updates_at_most = static_cast<double>(out.steps_per_epoch) * out.arch_epochs;
  const double spaced = std::floor(0.01 * updates_at_most / (kPaperAlphaTravel * input.targets));
  out.weight_steps_per_arch_step = static_cast<int>(std::clamp(spaced, 1.0, static_cast<double>(most_per_arch_step)));
  if (input.weight_steps_per_arch_step != 0) {
    if (input.weight_steps_per_arch_step < 1 || input.weight_steps_per_arch_step > out.steps_per_epoch) {
      ThrowUsage(StrCat("weight steps per architecture step ", input.weight_steps_per_arch_step,
                        " must lie between 1 and the ", out.steps_per_epoch, " steps of an epoch"));
    }
    out.weight_steps_per_arch_step = input.weight_steps_per_arch_step;
  }
  out.arch_updates = out.steps_per_epoch / out.weight_steps_per_arch_step * out.arch_epochs;
  out.arch_updates_per_target = out.arch_updates / input.targets;
  out.alpha_lr = AlphaLr(out.arch_updates_per_target);
  out.warmup_lr = out.main_lr = std::clamp(kWeightLr * out.batch / kReferenceBatch, kLeastWeightLr, kMostWeightLr);
  out.entropy_alarm = out.arch_updates_per_target >= kEntropyAlarmUpdates;
  return out;
}

double Schedule::WeightLr(std::int64_t step) const {
  if (step < warmup_steps()) return Cosine(warmup_lr, step, warmup_steps());
  return Cosine(main_lr, step - warmup_steps(), total_steps() - warmup_steps());
}

double Schedule::work() const {
  return static_cast<double>(total_steps() * batch) + kArchImageCost * static_cast<double>(arch_updates * arch_batch);
}

std::int64_t Schedule::ArchStepAfter(std::int64_t step) const {
  const std::int64_t arch_epoch = step / steps_per_epoch - (epochs - arch_epochs);
  const std::int64_t done = step % steps_per_epoch + 1;
  if (arch_epoch < 0 || done % weight_steps_per_arch_step != 0) return -1;
  return arch_epoch * (steps_per_epoch / weight_steps_per_arch_step) + done / weight_steps_per_arch_step - 1;
}

}  // namespace nas
