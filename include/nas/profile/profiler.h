// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/core/json.h"
#include "nas/core/progress.h"
#include "nas/core/stop_flag.h"
#include "nas/device/engine.h"
#include "nas/latency/latency_table.h"
#include "nas/profile/profile_options.h"
#include "nas/profile/profile_plan.h"

namespace nas {

/// What the caller lends to a profile.
struct ProfileHooks {
  std::vector<EngineEntry> engines;     ///< `LocalEngines()` of profile/local_engines.h, or `BuiltinEngines()`
  std::vector<std::string> space_dirs;  ///< where shipped search spaces are
  Progress* progress = nullptr;         ///< may be null
  const StopFlag* stop = nullptr;       ///< may be null
  std::string program;                  ///< the `nas` that exports models for the engine `command`
  AgentPlaces agent;                    ///< where `nas-agent` and its bundles are; for engines that need it
};

/// A finished profile.
struct ProfileResult {
  std::string path;
  LatencyTable table;
  int items = 0;       ///< measured in this run
  int whole_nets = 0;  ///< of those
  double seconds = 0;  ///< of measuring
  std::vector<std::string> warnings;

  /// Figures of the held-out networks; null when there are none.
  const SplitReport* held_out() const;
};

/// `profile-device --json` (cli.md): {schema, table, device, items, whole_nets, mape, within_10pct, spearman,
/// noise_floor, seconds} and the keys of latency.md §12.
Json ToJson(const ProfileResult& result);

/// Measures a device by the protocol of latency.md §9 and writes its table with model, calibration and certificate.
/// Results are appended to `<out>.partial.jsonl` as they come; the file goes away when the table is written. Throws
/// kUsage, kInput (places, a table or partial file of another device), kUnavailable (too noisy, deadline with too
/// little measured), kCheckpointed (asked to stop; `--resume` goes on).
ProfileResult RunProfile(const ProfileOptions& options, const ProfileHooks& hooks);

/// What `--dry-run` tells; nothing is measured, no engine is opened.
ProfilePlan PlanProfile(const ProfileOptions& options, const ProfileHooks& hooks);

}  // namespace nas
