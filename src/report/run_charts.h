// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "chart.h"
#include "nas/report/run_record.h"

namespace nas::detail {

AxisFormat FormatOf(CostUnit unit);
/// "latency", "MACs", "parameters".
std::string CostName(CostUnit unit);

// Charts of one run. Empty ones (`Chart::empty`) have nothing to show.

/// Cost against accuracy: sampled networks, their Pareto front, and the one that was selected.
Chart TradeOffChart(const RunRecord& run, const TargetRecord& target);
/// Expected cost and that of the most probable network against the budget.
Chart ExpectedChart(const RunRecord& run, std::size_t target);
Chart LossChart(const RunRecord& run);
Chart AccuracyChart(const RunRecord& run);
/// Multipliers of all targets.
Chart LambdaChart(const RunRecord& run);
/// Entropy of all targets as a share of its maximum.
Chart EntropyChart(const RunRecord& run);
/// Whole networks of the latency table and those of the run: predicted against measured.
Chart PredictionChart(const RunRecord& run, const TargetRecord& target);

// Several runs in one picture.

/// Targets of equal unit; one chart per unit that at least two networks have.
std::vector<Chart> CompareTradeOffs(const std::vector<RunRecord>& runs);
Chart CompareLosses(const std::vector<RunRecord>& runs);

/// Points that no other point beats in both cost and accuracy, by cost.
std::vector<ChartPoint> ParetoFront(std::vector<ChartPoint> points);

}  // namespace nas::detail
