// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/evaluation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "block_fit.h"
#include "eval_item.h"
#include "eval_split.h"
#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/stats.h"
#include "nas/core/text.h"
#include "nas/latency/latency_model.h"
#include "nnls.h"

namespace nas {
namespace {

/// One feature and its time: what the simple rivals see of an item.
struct Simple {
  double feature = 0;
  double ms = 0;
};

/// a·feature (+ b), relative least squares on the training items.
std::vector<double> LineBaseline(const std::vector<Simple>& train, const std::vector<Simple>& test, bool constant) {
  NormalEquations equations(constant ? 2 : 1);
  for (const auto& item : train) {
    std::vector<double> row = {item.feature / item.ms};
    if (constant) row.push_back(1 / item.ms);
    equations.Add(row, 1);
  }
  std::vector<double> line = equations.SolveNonNegative();
  line.resize(2, 0);
  std::vector<double> predicted;
  for (const auto& item : test) predicted.push_back(std::max(line[0] * item.feature + line[1], 1e-9));
  return predicted;
}

std::vector<double> ConstantBaseline(const std::vector<Simple>& train, size_t count) {
  std::vector<double> times;
  for (const auto& item : train) times.push_back(item.ms);
  return std::vector<double>(count, Median(times));
}

std::vector<EvalBaseline> Baselines(const std::vector<Simple>& macs_train, const std::vector<Simple>& macs_test,
                                    const std::vector<Simple>& sum_train, const std::vector<Simple>& sum_test) {
  return {{"macs_line", LineBaseline(macs_train, macs_test, /*constant=*/true)},
          {"scale_only", LineBaseline(sum_train, sum_test, /*constant=*/false)},
          {"constant", ConstantBaseline(macs_train, macs_test.size())}};
}

LatencyRow ToLatencyRow(const ImportedRow& row) {
  LatencyRow out;
  out.key = ToString(row.key);
  out.stats.mean = row.ms;
  out.stats.std = row.std_ms;
  out.stats.n = row.count;
  return out;
}

LatencyTable TrainingTable(const EvalData& data, const std::vector<ImportedRow>& rows) {
  LatencyTable table;
  table.name = "split";
  table.identity = data.identity;
  for (const auto& row : rows) table.rows.push_back(ToLatencyRow(row));
  return table;
}

/// Rows sorted, so that a split depends on the content alone and not on the order of the file.
std::vector<ImportedRow> SortedMbconvRows(const EvalData& data) {
  std::vector<ImportedRow> rows;
  for (const auto& row : data.rows) {
    if (row.key.op == BlockOp::kMbconv) rows.push_back(row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const ImportedRow& a, const ImportedRow& b) {
    return std::make_tuple(ToString(a.key), a.source, a.ms) < std::make_tuple(ToString(b.key), b.source, b.ms);
  });
  return rows;
}

struct RowSplit {
  std::vector<ImportedRow> train, test;
};

void DropTwins(std::vector<ImportedRow>* from, const std::vector<ImportedRow>& of) {
  std::set<BlockKey> keys;
  for (const auto& row : of) keys.insert(row.key);
  std::erase_if(*from, [&](const ImportedRow& row) { return keys.count(row.key) != 0; });
}

RowSplit SplitRows(const EvalData& data, const SplitSpec& spec, std::uint64_t seed) {
  const std::vector<ImportedRow> rows = SortedMbconvRows(data);
  RowSplit split;
  if (spec.kind == SplitSpec::Kind::kRandom) {
    CounterRng rng(seed, /*stream=*/11);
    const auto order = rng.Permutation(static_cast<std::int64_t>(rows.size()));
    std::vector<bool> chosen(rows.size(), false);
    for (size_t i = 0; i < rows.size() && i < static_cast<size_t>(spec.count); ++i) chosen[order[i]] = true;
    for (size_t i = 0; i < rows.size(); ++i) (chosen[i] ? split.train : split.test).push_back(rows[i]);
    DropTwins(&split.test, split.train);
  } else if (spec.kind == SplitSpec::Kind::kLeave) {
    for (const auto& row : rows) (LeavesOut(spec, row) ? split.test : split.train).push_back(row);
    DropTwins(&split.train, split.test);
  } else {
    const std::string tested = StrCat("run ", spec.count);
    for (const auto& row : rows) (row.source == tested ? split.test : split.train).push_back(row);
  }
  return split;
}

Evaluation EvaluateRows(const EvalData& data, const SplitSpec& spec, const EvalOptions& options) {
  const RowSplit split = SplitRows(data, spec, options.seed);
  if (split.train.empty() || split.test.empty()) {
    ThrowInput(StrCat("split ", options.split, " has ", split.train.size(), " rows to fit and ", split.test.size(),
                      " to test; choose another split"));
  }
  const LatencyModel model = LatencyModel::Fit(TrainingTable(data, split.train), options.fit);
  const ModelParams& params = *model.table().model;
  const auto macs = [](const ImportedRow& row) { return Simple{BlockMacs(row.key), row.ms}; };
  const auto linear = [&](const ImportedRow& row) {
    return Simple{LinearPart(row.key, params.w, params.channel_multiple), row.ms};
  };
  std::vector<Simple> macs_train, macs_test, sum_train, sum_test;
  for (const auto& row : split.train) {
    macs_train.push_back(macs(row));
    sum_train.push_back(linear(row));
  }
  Evaluation evaluation;
  for (const auto& row : split.test) {
    evaluation.items.push_back(ItemOf(model.PredictBlock(row.key), row.ms));
    macs_test.push_back(macs(row));
    sum_test.push_back(linear(row));
  }
  const std::string label = spec.kind == SplitSpec::Kind::kRandom ? options.split + " (optimistic)" : options.split;
  evaluation.report = MakeReport(label, evaluation.items, Baselines(macs_train, macs_test, sum_train, sum_test),
                                 options.target_ms, options.seed);
  return evaluation;
}

double NetMacs(const LatencyNet& net) {
  double macs = 0;
  for (const auto& key : net.keys) macs += BlockMacs(ParseBlockKey(key));
  return macs;
}

/// Predicts `test` with a fitted model; the rivals learn from `train`.
Evaluation PredictNets(const LatencyModel& model, const std::vector<LatencyNet>& train,
                       const std::vector<LatencyNet>& test, const std::string& split, double target_ms,
                       std::uint64_t seed) {
  Evaluation evaluation;
  std::vector<Simple> macs_train, macs_test, sum_train, sum_test;
  for (const auto& net : train) {
    macs_train.push_back({NetMacs(net), net.stats.Value()});
    sum_train.push_back({model.PredictKeys(net.keys, net.resolution).sum, net.stats.Value()});
  }
  for (const auto& net : test) {
    const NetworkPrediction p = model.PredictKeys(net.keys, net.resolution);
    std::set<std::string> flags;
    for (const auto& block : p.blocks) flags.insert(block.flags.begin(), block.flags.end());
    evaluation.items.push_back({net.name, net.stats.Value(), p.ms, p.interval, p.extrapolated_share, std::move(flags)});
    macs_test.push_back({NetMacs(net), net.stats.Value()});
    sum_test.push_back({p.sum, net.stats.Value()});
  }
  std::vector<EvalBaseline> baselines;
  if (!train.empty()) baselines = Baselines(macs_train, macs_test, sum_train, sum_test);
  evaluation.report = MakeReport(split, evaluation.items, baselines, target_ms, seed);
  return evaluation;
}

Evaluation EvaluateNets(const EvalData& data, const SplitSpec& spec, const EvalOptions& options) {
  std::vector<LatencyNet> nets = data.nets;
  std::stable_sort(nets.begin(), nets.end(), [](const LatencyNet& a, const LatencyNet& b) {
    return std::make_tuple(a.name, a.run, a.stats.Value()) < std::make_tuple(b.name, b.run, b.stats.Value());
  });
  if (nets.size() <= static_cast<size_t>(spec.count)) {
    ThrowInput(StrCat("split ", options.split, " of ", nets.size(), " networks leaves none to test; choose fewer"));
  }
  CounterRng rng(options.seed, /*stream=*/12);
  const auto order = rng.Permutation(static_cast<std::int64_t>(nets.size()));
  std::vector<bool> chosen(nets.size(), false);
  for (int i = 0; i < spec.count; ++i) chosen[order[i]] = true;
  std::vector<LatencyNet> train, test;
  for (size_t i = 0; i < nets.size(); ++i) (chosen[i] ? train : test).push_back(nets[i]);
  LatencyTable table = TrainingTable(data, data.rows);
  table.nets = train;
  for (auto& net : table.nets) net.role = "calibrate";
  return PredictNets(LatencyModel::Fit(std::move(table), options.fit), train, test, options.split, options.target_ms,
                     options.seed);
}

}  // namespace

EvalItem ItemOf(const BlockPrediction& block, double truth) {
  const double spread = std::exp(kNormalQuantile * block.sigma);
  return {block.key,
          truth,
          block.ms,
          {block.ms / spread, block.ms * spread},
          block.extrapolated ? 1.0 : 0.0,
          {block.flags.begin(), block.flags.end()}};
}

std::vector<std::string> FlagSummary(const Evaluation& evaluation) {
  std::map<std::string, int> counts;
  for (const auto& item : evaluation.items) {
    for (const auto& flag : item.flags) ++counts[flag];
  }
  std::vector<std::pair<int, std::string>> sorted;
  for (const auto& [flag, count] : counts) sorted.emplace_back(-count, flag);
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> lines;
  for (const auto& [count, flag] : sorted) {
    lines.push_back(StrCat(flag, " (", -count, " of ", evaluation.items.size(), " items)"));
  }
  return lines;
}

EvalData EvalDataFromTable(const LatencyTable& table) {
  EvalData data;
  data.identity = table.identity;
  for (const auto& row : table.rows) {
    const std::string source = StrCat("run ", row.run);
    data.rows.push_back({ParseBlockKey(row.key), row.stats.Value(), row.stats.std, row.stats.n, source, table.name});
  }
  data.nets = table.nets;
  return data;
}

EvalData EvalDataFromImport(const ImportedData& imported, const DeviceIdentity& identity) {
  EvalData data;
  data.identity = identity;
  if (imported.batch != 0) data.identity.batch = imported.batch;
  data.rows = imported.rows;
  for (const auto& net : imported.nets) {
    LatencyNet& out = data.nets.emplace_back();
    out.name = net.name;
    out.resolution = net.resolution;
    for (const auto& key : net.keys) out.keys.push_back(ToString(key));
    out.stats.mean = net.ms;
  }
  return data;
}

Evaluation Evaluate(const EvalData& data, const EvalOptions& options) {
  const SplitSpec spec = ParseSplit(options.split);
  if (spec.kind == SplitSpec::Kind::kNets) return EvaluateNets(data, spec, options);
  if (spec.kind != SplitSpec::Kind::kHeldOut) return EvaluateRows(data, spec, options);
  LatencyTable table = TrainingTable(data, data.rows);
  table.nets = data.nets;
  FitTable(table, options.fit);
  return EvaluateHeldOut(table, options.target_ms, options.seed);
}

Evaluation EvaluateHeldOut(const LatencyTable& table, double target_ms, std::uint64_t seed) {
  std::vector<LatencyNet> train, test;
  for (const auto& net : table.nets) (net.role == "held-out" ? test : train).push_back(net);
  if (test.empty()) {
    ThrowInput(StrCat("table \"", table.name,
                      "\" has no held-out networks; measure some (profile-device --held-out N), or use "
                      "another split"));
  }
  return PredictNets(LatencyModel(table), train, test, "nets:held-out", target_ms, seed);
}

}  // namespace nas
