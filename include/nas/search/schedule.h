// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nas {

/// Cost of an image of an architecture step in mode two, and of one that is only classified, by that of a training
/// image (proxyless.md §5: 4 against 3 passes; measured for the other).
inline constexpr double kArchImageCost = 4.0 / 3;
inline constexpr double kForwardImageCost = 0.4;

/// What the schedule depends on.
struct ScheduleInput {
  std::int64_t train_images = 0;  ///< after the carve-out
  std::int64_t carve_out_images = 0;
  int epochs = 60;
  int warmup_epochs = -1;              ///< −1 = floor(epochs / 4)
  int batch = 0;                       ///< 0 = derived
  int weight_steps_per_arch_step = 0;  ///< 0 = derived
  int targets = 1;
  bool gpu = false;
};

/// Every number of the search's timetable, derived from steps per epoch (proxyless.md N10).
struct Schedule {
  int epochs = 0;
  int warmup_epochs = 0;                     ///< E_w
  int arch_epochs = 0;                       ///< E_a: the last epochs, in which architecture steps happen
  int batch = 0;                             ///< B
  int arch_batch = 0;                        ///< min(B, carve-out)
  bool arch_drop_last = false;               ///< the last, smaller arch batch is left out (carve-out ≥ B)
  std::int64_t steps_per_epoch = 0;          ///< S = ceil(N_train / B)
  int weight_steps_per_arch_step = 1;        ///< k
  std::int64_t arch_updates = 0;             ///< U
  std::int64_t arch_updates_per_target = 0;  ///< U_m
  double alpha_lr = 0;
  double warmup_lr = 0;        ///< start of the cosine of the warm-up phase
  double main_lr = 0;          ///< start of the cosine of the main phase
  bool entropy_alarm = false;  ///< N11's entropy test is on (U_m ≥ 1,000)

  std::int64_t total_steps() const { return steps_per_epoch * epochs; }
  std::int64_t warmup_steps() const { return steps_per_epoch * warmup_epochs; }
  /// Learning rate of weight step `step` (0-based over the whole run): a cosine to 0 in each phase.
  double WeightLr(std::int64_t step) const;
  /// Whether an arch step follows weight step `step`, and its number (0-based) if so, else −1. Arch steps come after
  /// every k-th step of an epoch; the count of steps restarts with each epoch.
  std::int64_t ArchStepAfter(std::int64_t step) const;
  /// All steps, in training images: what the run costs.
  double work() const;
};

/// R0: learning rate × architecture updates of the paper's search, the total way an alpha can go.
inline constexpr double kPaperAlphaTravel = 1e-3 * 114478;

/// The rate that covers the paper's travel in `updates` steps; the first term of `AlphaLr`.
double AlphaLrAtPaperTravel(std::int64_t updates);
/// max(1e-3, min(R0/U, 1/√U, 0.05)): the paper's travel as long as its noise walk lr·√U stays within 1 nat.
double AlphaLr(std::int64_t updates);

/// Size of the architecture-validation set: min(50,000, 10 % of train), at least one per class.
std::int64_t CarveOutSize(std::int64_t train_images, int classes);

/// Throws kUsage on counts that give no schedule (no images, warm-up as long as the search, k above the steps per
/// epoch, …).
Schedule DeriveSchedule(const ScheduleInput& input);

}  // namespace nas
