// SPDX-License-Identifier: Apache-2.0
#include "nas/search/schedule.h"

#include <cmath>

#include "nas/core/error.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

ScheduleInput Input(std::int64_t train, std::int64_t carve_out, int epochs) {
  ScheduleInput input;
  input.train_images = train;
  input.carve_out_images = carve_out;
  input.epochs = epochs;
  return input;
}

// Equal when printed with the digits that the table of proxyless.md N10 gives.
void CheckPrinted(double value, double printed, double unit_of_last_digit) {
  CHECK(std::abs(value - printed) <= 0.5 * unit_of_last_digit * (1 + 1e-9));
}

double NoiseWalk(const Schedule& s) { return s.alpha_lr * std::sqrt(static_cast<double>(s.arch_updates)); }

// Main-phase time over weights only in mode two: a weight step costs 3 forward passes, an arch step 4 (proxyless.md
// §5).
double MainPhaseCost(const Schedule& s) { return (3 + 4.0 / s.weight_steps_per_arch_step) / 3; }

TEST_CASE("Schedule of the paper's search on ImageNet", "[schedule]") {
  ScheduleInput input = Input(1231167, CarveOutSize(1281167, 1000), 160);
  input.warmup_epochs = 40;
  input.gpu = true;
  const Schedule s = DeriveSchedule(input);
  CHECK(input.carve_out_images == 50000);
  CHECK(s.batch == 256);
  CHECK(s.steps_per_epoch == 4810);
  CHECK(s.arch_epochs == 119);
  CHECK(s.weight_steps_per_arch_step == 5);
  CHECK(s.arch_updates == 114478);
  CheckPrinted(s.alpha_lr, 1.00e-3, 1e-5);
  CheckPrinted(NoiseWalk(s), 0.34, 0.01);
  CheckPrinted(MainPhaseCost(s), 1.27, 0.01);
  CHECK(s.warmup_lr == 0.05);
  CHECK(s.main_lr == 0.05);
  CHECK(s.entropy_alarm);
}

TEST_CASE("Schedule of the default, 50k images over 60 epochs", "[schedule]") {
  const Schedule s = DeriveSchedule(Input(45000, CarveOutSize(50000, 10), 60));
  CHECK(s.batch == 128);
  CHECK(s.arch_batch == 128);
  CHECK(s.warmup_epochs == 15);
  CHECK(s.steps_per_epoch == 352);
  CHECK(s.arch_epochs == 44);
  CHECK(s.weight_steps_per_arch_step == 1);
  CHECK(s.arch_updates == 15488);
  CheckPrinted(s.alpha_lr, 7.39e-3, 1e-5);
  CheckPrinted(NoiseWalk(s), 0.92, 0.01);
  CheckPrinted(MainPhaseCost(s), 2.33, 0.01);
  CHECK(s.warmup_lr == Approx(0.05));
  CHECK(s.main_lr == Approx(0.05));
}

TEST_CASE("Schedule of 10k images over 12 epochs", "[schedule]") {
  const Schedule s = DeriveSchedule(Input(9000, CarveOutSize(10000, 10), 12));
  CHECK(s.batch == 128);
  CHECK(s.steps_per_epoch == 71);
  CHECK(s.arch_epochs == 8);
  CHECK(s.weight_steps_per_arch_step == 1);
  CHECK(s.arch_updates == 568);
  CheckPrinted(s.alpha_lr, 4.20e-2, 1e-4);
  CheckPrinted(NoiseWalk(s), 1.00, 0.01);
  CHECK_FALSE(s.entropy_alarm);
}

TEST_CASE("Fewer arch steps at the same travel need larger and noisier steps", "[schedule]") {
  ScheduleInput input = Input(45000, 5000, 60);
  const auto [k, updates, lr, noise, cost] = GENERATE(table<int, std::int64_t, double, double, double>(
      {{2, 7744, 1.48e-2, 1.30, 1.67}, {5, 3080, 3.72e-2, 2.06, 1.27}}));
  input.weight_steps_per_arch_step = k;
  const Schedule s = DeriveSchedule(input);
  CHECK(s.weight_steps_per_arch_step == k);
  CHECK(s.arch_updates == updates);
  CheckPrinted(AlphaLrAtPaperTravel(s.arch_updates), lr, 1e-4);
  CheckPrinted(AlphaLrAtPaperTravel(s.arch_updates) * std::sqrt(static_cast<double>(updates)), noise, 0.01);
  CheckPrinted(MainPhaseCost(s), cost, 0.01);
  // That rate would walk more than 1 nat by noise: the schedule stops there.
  CHECK(NoiseWalk(s) == Approx(1));
}

TEST_CASE("Schedule of 60 main epochs", "[schedule]") {
  const Schedule s = DeriveSchedule(Input(45000, 5000, 80));
  CHECK(s.warmup_epochs == 20);
  CHECK(s.arch_epochs == 59);
  CHECK(s.weight_steps_per_arch_step == 1);
  CHECK(s.arch_updates == 20768);
  CheckPrinted(s.alpha_lr, 5.51e-3, 1e-5);
  CheckPrinted(NoiseWalk(s), 0.79, 0.01);
  CheckPrinted(MainPhaseCost(s), 2.33, 0.01);
}

TEST_CASE("Rate of the alphas stays within its bounds", "[schedule]") {
  CHECK(AlphaLr(1) == 0.05);
  CHECK(AlphaLr(66) == 0.05);
  CHECK(AlphaLr(10000000) == 1e-3);
  for (const std::int64_t updates : {500, 1000, 13000, 14000, 100000}) {
    CAPTURE(updates);
    CHECK(AlphaLr(updates) * std::sqrt(static_cast<double>(updates)) <= 1 + 1e-12);
    CHECK(AlphaLr(updates) * static_cast<double>(updates) <= kPaperAlphaTravel * (1 + 1e-12));
  }
}

TEST_CASE("Carve-out: a tenth, at most 50,000, at least one of each class", "[schedule]") {
  CHECK(CarveOutSize(50000, 10) == 5000);
  CHECK(CarveOutSize(10000, 10) == 1000);
  CHECK(CarveOutSize(1281167, 1000) == 50000);
  CHECK(CarveOutSize(30, 10) == 10);
}

TEST_CASE("Batch shrinks with the data and grows on a GPU", "[schedule]") {
  const auto batch = [](std::int64_t images, bool gpu) {
    ScheduleInput input = Input(images, images / 9 + 1, 10);
    input.gpu = gpu;
    return DeriveSchedule(input).batch;
  };
  CHECK(batch(200000, true) == 256);
  CHECK(batch(200000, false) == 128);
  CHECK(batch(199999, true) == 128);
  CHECK(batch(4096, false) == 128);
  CHECK(batch(4095, false) == 64);
  CHECK(batch(512, false) == 16);
  CHECK(batch(511, false) == 8);
  CHECK(batch(20, false) == 8);
  CHECK(DeriveSchedule(Input(20, 2, 3)).main_lr == 0.02);
}

TEST_CASE("Arch batch follows the carve-out", "[schedule]") {
  const Schedule small = DeriveSchedule(Input(9000, 100, 4));
  CHECK(small.arch_batch == 100);
  CHECK_FALSE(small.arch_drop_last);
  const Schedule large = DeriveSchedule(Input(9000, 1000, 4));
  CHECK(large.arch_batch == 128);
  CHECK(large.arch_drop_last);
}

TEST_CASE("Arch steps are evenly spaced, numbered without gaps, and absent before their epochs", "[schedule]") {
  const auto [epochs, warmup, k] =
      GENERATE(table<int, int, int>({{1, -1, 1}, {7, -1, 3}, {8, -1, 1}, {12, 4, 5}, {9, 8, 2}, {20, 0, 4}}));
  CAPTURE(epochs, warmup, k);
  ScheduleInput input = Input(700, 70, epochs);
  input.warmup_epochs = warmup;
  input.weight_steps_per_arch_step = k;
  const Schedule s = DeriveSchedule(input);
  const int first_epoch = epochs - s.arch_epochs;
  CHECK(first_epoch >= s.warmup_epochs);
  if (epochs >= 8 && warmup < epochs - 1) {
    CHECK(first_epoch == s.warmup_epochs + 1);
  }
  std::int64_t next = 0;
  for (std::int64_t step = 0; step < s.total_steps(); ++step) {
    const std::int64_t in_epoch = step % s.steps_per_epoch;
    const std::int64_t number = s.ArchStepAfter(step);
    const bool expected = step / s.steps_per_epoch >= first_epoch && (in_epoch + 1) % k == 0;
    REQUIRE((number >= 0) == expected);
    if (expected) REQUIRE(number == next++);
  }
  CHECK(next == s.arch_updates);
  CHECK(s.arch_updates == s.steps_per_epoch / k * s.arch_epochs);
}

TEST_CASE("Targets share the arch updates", "[schedule]") {
  ScheduleInput input = Input(45000, 5000, 60);
  input.targets = 3;
  const Schedule s = DeriveSchedule(input);
  CHECK(s.arch_updates_per_target == s.arch_updates / 3);
  CHECK(s.alpha_lr == AlphaLr(s.arch_updates / 3));
}

TEST_CASE("Learning rate is a cosine to zero in each phase", "[schedule]") {
  const Schedule s = DeriveSchedule(Input(1024, 100, 8));
  CHECK(s.WeightLr(0) == s.warmup_lr);
  CHECK(s.WeightLr(s.warmup_steps() / 2) == Approx(s.warmup_lr / 2));
  CHECK(s.WeightLr(s.warmup_steps() - 1) < 0.01 * s.warmup_lr);
  CHECK(s.WeightLr(s.warmup_steps()) == s.main_lr);
  CHECK(s.WeightLr(s.total_steps() - 1) < 0.001 * s.main_lr);
}

TEST_CASE("One epoch, or a single step, is a schedule", "[schedule]") {
  const Schedule s = DeriveSchedule(Input(5, 2, 1));
  CHECK(s.warmup_epochs == 0);
  CHECK(s.steps_per_epoch == 1);
  CHECK(s.arch_updates == 1);
  CHECK(s.ArchStepAfter(0) == 0);
  CHECK(s.WeightLr(0) == s.main_lr);
}

TEST_CASE("Schedules that cannot be are refused", "[schedule]") {
  const auto kind = [](const ScheduleInput& input) {
    try {
      DeriveSchedule(input);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kInternal;
  };
  ScheduleInput warm_only = Input(1000, 100, 4);
  warm_only.warmup_epochs = 4;
  CHECK(kind(warm_only) == ErrorKind::kUsage);
  CHECK(kind(Input(1000, 100, 0)) == ErrorKind::kUsage);
  CHECK(kind(Input(0, 100, 4)) == ErrorKind::kUsage);
  ScheduleInput sparse = Input(1000, 100, 4);
  sparse.weight_steps_per_arch_step = 1000;
  CHECK(kind(sparse) == ErrorKind::kUsage);
}

}  // namespace
}  // namespace nas
