// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/cluster/sweep_report.h"
#include "session.h"

namespace nas::cli {

/// A sweep as its runs' files and the batch system tell it.
struct SweepResults {
  std::vector<RunStatus> statuses;
  std::vector<IndexedTarget> targets;  ///< networks of the finished runs
  SweepReport report;
};

/// Reads the sweep's files into the index of results (cluster.md §7) and sums them up. `scheduler` may be null.
SweepResults ReadSweepResults(const std::string& sweep, Scheduler* scheduler, const Session& session);

/// Writes the page of the sweep; `out` "" = report.html in its folder. Returns the path.
std::filesystem::path WriteSweepReport(const std::string& sweep, const std::string& out, const std::string& data_dir,
                                       const Session& session);

}  // namespace nas::cli
