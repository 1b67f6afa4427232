// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nas/cluster/sweep.h"
#include "nas/core/stop_flag.h"

namespace nas {

struct LocalRunnerOptions {
  std::string nas;       ///< path of the program
  int max_parallel = 1;  ///< runs at a time
  int cores = 1;         ///< divided among them
  double poll_s = 0.2;
  const StopFlag* stop = nullptr;                ///< hands USR1 to all runs, which write checkpoints
  std::function<void(const std::string&)> tell;  ///< one sentence per event; may be empty
};

struct LocalOutcome {
  std::string run;
  int exit = -1;  ///< of its last start; −1 = not started
};

/// Runs a list here, in the foreground: finished runs are skipped, others start or go on (`--resume=auto`), and go on
/// again after exit 75 or a kill as long as they may (`Resumable`). Output goes to logs/local.log of each run.
std::vector<LocalOutcome> RunLocally(const std::vector<SweepPoint>& points, const LocalRunnerOptions& options);

/// 0 when all runs ended well; 75 when some were stopped on request; else the first failure's code.
int ExitOf(const std::vector<LocalOutcome>& outcomes);

}  // namespace nas
