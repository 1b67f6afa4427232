// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "bench_options.h"
#include "bench_ranks.h"
#include "session.h"

namespace nas::cli {

/// Measures the items and prints a table or `nas.bench/1`. Speeds: interleaved in one process, so that neighbours
/// disturb all alike; peak memory: each item in a process of its own.
/// `ranks`: figures of `--ranks N`, shown instead of the items.
int RunBench(const BenchOptions& options, const Session& session, const std::vector<RankFigure>& ranks = {});

}  // namespace nas::cli
