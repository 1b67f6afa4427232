// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "nas/cluster/scheduler.h"
#include "verb.h"

namespace nas::cli {

/// `nas status`: how runs, sweeps and jobs stand.
Run ConfigureStatus(FlagSet& flags);

/// Slurm where there is one, else null.
std::unique_ptr<Scheduler> SchedulerHere();

}  // namespace nas::cli
