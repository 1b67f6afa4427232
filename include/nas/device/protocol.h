// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nas {

/// The measuring protocol in numbers (latency.md §9). Defaults are the specification's; a plan lowers the caps.
struct ProtocolOptions {
  // Warm-up (§9.3).
  int window = 5;                  ///< runs per window
  double warmup_agreement = 0.02;  ///< two successive windows agree within this share
  double warmup_min_seconds = 0.3;
  double warmup_max_seconds = 5;
  // Samples (§9.4, §9.5).
  double min_sample_ms = 1;       ///< shorter items are looped until a sample lasts this long
  bool chain = true;              ///< blocks are timed between their neighbours
  std::int64_t rotate_bytes = 0;  ///< other data between two runs of a block; 0 = 1.25 × the last-level cache
  // Stop rule (§9.6).
  int min_runs = 20;
  double min_seconds = 0.5;
  double ci_half_width = 0.01;  ///< relative half width of the median's 95 % interval
  int max_runs = 200;
  double max_seconds = 10;
  double correlated_above = 0.3;  ///< lag-1 correlation from which means of windows are used
  // Outliers and modes (§9.7).
  double outlier_share = 0.05;
  double mode_gap = 0.10;  ///< two modes further apart than this share are bimodal
  // Drift guard (§9.8).
  int reference_every = 20;        ///< items between two looks at the reference network
  double reference_seconds = 0.3;  ///< time of one look
  double drift_limit = 0.03;
  double max_pause_seconds = 120;
  int max_pauses = 3;
  double max_unstable_share = 0.20;
  double max_noise_floor = 0.05;
  bool allow_noisy = false;  ///< go on where the guard would give up
  // Neighbours on a shared machine: a sample counts when the reference ran at its quiet speed before and after.
  double quiet_band = 0.06;    ///< readings up to this share above the quiet level are quiet
  double settle_seconds = 1;   ///< time spent on the quiet level before the first item
  double revisit_seconds = 0;  ///< items without a quiet spell are timed again until the run is this old
  // Order and budget (§9.9, §9.10).
  std::uint64_t order_seed = 7;
  double deadline_seconds = 0;  ///< of the whole run; 0 = none
};

}  // namespace nas
