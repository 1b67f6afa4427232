// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "flag_set.h"
#include "nas/dist/rank_env.h"
#include "nas/dist/rank_options.h"
#include "session.h"

namespace nas::cli {

/// The group of flags by which `search` and `train` are spread over processes. `supernet`: also those that make sense
/// with paths only.
void AddRankFlags(FlagSet& flags, RankOptions* options, bool supernet);

/// Where a launcher's or Slurm's variables put this process; throws kUsage as `ParseRankEnv`.
RankEnv ReadRankEnv(int asked_ranks);

/// Processors for this rank: those of the machine divided by its ranks, where the user has not said.
int RankThreads(const Session& session);

/// `--ranks N` without a launcher: starts N processes of the computing program and returns their code once they have
/// ended; nullopt in a process that is a rank itself, or alone.
std::optional<int> LaunchRanksHere(const Session& session, const RankOptions& options);

}  // namespace nas::cli
