// SPDX-License-Identifier: Apache-2.0
#include "nas/train/lr_schedule.h"

#include <cmath>
#include <numbers>

namespace nas {

double LrSchedule::At(std::int64_t step) const {
  if (step >= total_steps) return 0;
  if (step < warmup_steps) return base * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  const double done = static_cast<double>(step - warmup_steps) / static_cast<double>(total_steps - warmup_steps);
  return 0.5 * base * (1 + std::cos(std::numbers::pi * done));
}

}  // namespace nas
