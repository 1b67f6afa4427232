// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nas/cluster/run_status.h"

namespace nas {

struct CancelOptions {
  bool now = false;     ///< no checkpoint
  double wait_s = 120;  ///< for running jobs to write theirs
  double poll_s = 1;
};

/// What became of one run: "cancelled after its checkpoint", "cancelled", "was finished already", …
struct CancelOutcome {
  std::string run;
  std::string text;
};

/// Marks each run (no requeue any more), sends USR1 to running ones, waits for their checkpoints, then ends their jobs;
/// pending jobs, and all with `now`, at once. `scheduler` may be null when no run is
/// in a batch job.
std::vector<CancelOutcome> CancelRuns(const std::vector<std::filesystem::path>& runs, Scheduler* scheduler,
                                      const CancelOptions& options);

}  // namespace nas
