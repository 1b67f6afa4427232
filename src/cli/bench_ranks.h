// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "bench_options.h"
#include "nas/dist/communicator.h"
#include "session.h"

namespace nas::cli {

/// A measured series, or a single counted or computed figure.
struct RankFigure {
  std::string name;
  std::string unit;
  std::vector<double> values;
};

/// `nas bench --ranks N`: weight steps of the supernet on N ranks against one process with all of their threads, in
/// alternation; the sum of one path's gradients over the ranks; bytes; and the step that the model of cluster.md §9
/// expects from the parts. Collective; rank 0 gets the figures, the others an empty list.
std::vector<RankFigure> MeasureRanks(const BenchOptions& options, const Session& session, Communicator& ranks);

}  // namespace nas::cli
