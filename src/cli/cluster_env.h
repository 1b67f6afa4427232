// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "nas/cluster/run_journal.h"
#include "session.h"

namespace nas::cli {

/// The batch job this process runs in, from Slurm's and torchrun's variables.
JobIdentity ReadJobIdentity();

/// The id by which the batch system knows this job ("12", "12_3"); "" = none.
std::string OwnJob();

/// Whether a launcher has started this process anew after an earlier stop: then `--resume=auto` is the default.
bool RestartedByLauncher();

/// Identity of the program's computing part, so that a job notices a rebuild; "" when it cannot be read.
std::string ProgramBuild(const Session& session);
/// Throws kInput when the job was submitted with another build than this one.
void CheckSubmittedBuild(const Session& session);

/// Runs `work` with the run's journal open where `out` names the folder: at once for one that goes on (`resume`), else
/// once it is made. How it ends is noted. `work` gets the progress to report to and the fence that is asked before each
/// checkpoint.
int WithJournal(const Session& session, const std::string& out, bool resume, Progress* progress,
                const std::function<int(Progress*, const std::function<void()>& fence)>& work, int ranks = 1);

}  // namespace nas::cli
