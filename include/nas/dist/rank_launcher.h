// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nas/core/stop_flag.h"

namespace nas {

struct LaunchOptions {
  std::vector<std::string> argv;  ///< program and arguments, the same for all ranks
  int ranks = 2;
  const StopFlag* stop = nullptr;  ///< its wish is handed on to all ranks as SIGTERM
  double leave_s = 90;             ///< for the others to end once a rank has died; then they are killed
};

/// `--ranks N`: starts N processes of this program on this machine with the launcher's variables (cluster.md §2), and
/// waits for them. Rank 0 has this process' stdout and stderr, the others' stderr lines come prefixed by `[r]`. The
/// store's port is bound here and handed to rank 0. Returns the code of the run: 0, a rank's own error, or 75 when a
/// rank was killed.
int LaunchRanks(const LaunchOptions& options);

}  // namespace nas
