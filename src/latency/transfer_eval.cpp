// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "eval_item.h"
#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/stats.h"
#include "nas/core/text.h"
#include "nas/latency/import_table.h"
#include "nas/latency/latency_model.h"
#include "nas/latency/transfer.h"
#include "nnls.h"

namespace nas {
namespace {

/// a·feature + b by relative least squares on the first `count` rows of `order`, for all later ones.
std::vector<double> LineRival(const std::vector<ImportedRow>& rows, const std::vector<double>& feature,
                              const std::vector<std::int64_t>& order, int count, bool constant) {
  NormalEquations equations(constant ? 2 : 1);
  for (int i = 0; i < count; ++i) {
    std::vector<double> row = {feature[order[i]] / rows[order[i]].ms};
    if (constant) row.push_back(1 / rows[order[i]].ms);
    equations.Add(row, 1);
  }
  std::vector<double> line = equations.SolveNonNegative();
  line.resize(2, 0);
  std::vector<double> predicted;
  for (size_t i = count; i < order.size(); ++i)
    predicted.push_back(std::max(line[0] * feature[order[i]] + line[1], 1e-9));
  return predicted;
}

}  // namespace

Evaluation EvaluateTransfer(const EvalData& data, const std::vector<LatencyTable>& sources, int count,
                            const std::string& split, std::uint64_t seed, const TransferOptions& options) {
  std::vector<ImportedRow> rows;
  for (const auto& row : MergeTwins(data.rows, /*force=*/false)) {
    if (row.key.op == BlockOp::kMbconv) rows.push_back(row);
  }
  if (static_cast<int>(rows.size()) <= count) {
    ThrowInput(StrCat("split ", split, " needs more than ", count, " mbconv rows, the data has ", rows.size()));
  }
  CounterRng rng(seed, /*stream=*/14);
  const std::vector<std::int64_t> order = rng.Permutation(static_cast<std::int64_t>(rows.size()));
  LatencyTable items;
  items.name = "few";
  items.identity = data.identity;
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const ImportedRow& row = rows[order[i]];
    LatencyRow& out = items.rows.emplace_back();
    out.key = ToString(row.key);
    out.stats.mean = row.ms;
    out.stats.std = row.std_ms;
    out.stats.n = row.count;
    times.push_back(row.ms);
  }
  TransferResult result = Transfer(items, sources, options);
  const LatencyModel model(std::move(result.table));
  const LatencyModel source(sources[0], BlockSource::kModelOnly);
  std::vector<double> macs, source_ms;
  for (const auto& row : rows) {
    macs.push_back(BlockMacs(row.key));
    source_ms.push_back(source.PredictBlock(row.key).ms);
  }
  Evaluation evaluation;
  for (size_t i = count; i < order.size(); ++i) {
    const ImportedRow& row = rows[order[i]];
    evaluation.items.push_back(ItemOf(model.PredictBlock(row.key), row.ms));
  }
  const std::vector<EvalBaseline> rivals = {
      {"macs_line", LineRival(rows, macs, order, count, /*constant=*/true)},
      {"scale_only", LineRival(rows, source_ms, order, count, /*constant=*/false)},
      {"constant", std::vector<double>(evaluation.items.size(), Median(times))}};
  evaluation.report = MakeReport(split, evaluation.items, rivals, 0, seed);
  evaluation.transfer = std::move(result.record);
  evaluation.warnings = std::move(result.warnings);
  return evaluation;
}

}  // namespace nas
