// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "head_model.h"
#include "nas/latency/latency_table.h"

namespace nas {

/// All rows of one key as one measurement.
struct MergedRow {
  BlockSample sample;
  double variance = 0;  ///< of ln t: σ_m² of latency.md §3.3
};

/// Rows of one key are averaged in log space by their precision; sorted by key text.
std::vector<MergedRow> MergeRuns(const std::vector<LatencyRow>& rows, double sigma_run);

/// Relative deviation between runs from keys that were measured in several of them; nullopt below 5 such keys.
std::optional<double> EstimateRunSigma(const std::vector<LatencyRow>& rows);

}  // namespace nas
