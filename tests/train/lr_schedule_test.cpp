// SPDX-License-Identifier: Apache-2.0
#include "nas/train/lr_schedule.h"

#include <cmath>
#include <numbers>

#include "support/catch_compat.h"

namespace nas {
namespace {

TEST_CASE("the cosine starts at the base rate, falls in every step and ends near 0") {
  const LrSchedule schedule{.base = 0.05, .total_steps = 100};
  CHECK(schedule.At(0) == 0.05);
  CHECK(schedule.At(50) == Approx(0.025));
  for (int step = 1; step < 100; ++step) CHECK(schedule.At(step) < schedule.At(step - 1));
  CHECK(schedule.At(99) > 0);
  CHECK(schedule.At(99) < 1e-4);
  CHECK(schedule.At(100) == 0);
  // The released code's formula (proxyless.md §9).
  CHECK(schedule.At(17) == Approx(0.5 * 0.05 * (1 + std::cos(std::numbers::pi * 17 / 100))).epsilon(1e-12));
}

TEST_CASE("the warm-up rises linearly to the base rate, where the cosine begins") {
  const LrSchedule schedule{.base = 0.4, .total_steps = 100, .warmup_steps = 10};
  CHECK(schedule.At(0) == Approx(0.04));
  CHECK(schedule.At(4) == Approx(0.2));
  CHECK(schedule.At(9) == Approx(0.4));
  CHECK(schedule.At(10) == Approx(0.4));
  CHECK(schedule.At(55) == Approx(0.2));
  CHECK(schedule.At(11) < 0.4);
}

}  // namespace
}  // namespace nas
