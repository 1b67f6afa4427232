// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "nas/dist/communicator.h"

namespace nas {

/// Collective: from now on what each rank says goes to `logs/rank-<r>.log` in rank 0's run folder, too, at all levels.
/// `run` counts on rank 0. A rank whose machine does not see the folder goes on without; a single process has the run's
/// own log. Throws kInput when rank 0 cannot write there.
void OpenRankLog(Communicator& ranks, const std::filesystem::path& run);

}  // namespace nas
