// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nas {

/// Learning rate per iteration: a linear rise to `base` over the first `warmup_steps` steps, then a cosine to 0 over
/// the rest (proxyless.md §9; SGDR, Loshchilov & Hutter 2017, without restarts). A pure function of the step, so resume
/// needs no state.
struct LrSchedule {
  double base = 0.05;             ///< highest rate
  std::int64_t total_steps = 0;   ///< steps of the whole training
  std::int64_t warmup_steps = 0;  ///< 0 = none

  /// Rate of step `step` (0-based): base·(step + 1)/warmup while rising, then base/2·(1 + cos(π·s/S)), s counted from
  /// the end of the rise. 0 from `total_steps` on.
  double At(std::int64_t step) const;
};

}  // namespace nas
