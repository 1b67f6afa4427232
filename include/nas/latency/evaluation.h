// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "nas/latency/certificate.h"
#include "nas/latency/fit.h"
#include "nas/latency/importer.h"
#include "nas/latency/latency_table.h"

namespace nas {

/// One test item: what was measured and what was said about it.
struct EvalItem {
  std::string name;                  ///< block key or network
  double truth = 0;                  ///< ms
  double predicted = 0;              ///< ms
  std::array<double, 2> interval{};  ///< 95 %
  double extrapolated_share = 0;     ///< of its ms
  std::set<std::string> flags = {};  ///< why it, or a block of it, is doubtful
};

/// Predictions of a rival of the model, in the order of the items.
struct EvalBaseline {
  std::string name;
  std::vector<double> predicted;
};

/// All figures of latency.md §11. `target_ms` 0: regret over the quartiles of truth. Deterministic in `seed`
/// (bootstrap).
SplitReport MakeReport(const std::string& split, const std::vector<EvalItem>& items,
                       const std::vector<EvalBaseline>& baselines, double target_ms = 0, std::uint64_t seed = 0);

struct EvalOptions {
  std::string split;  ///< `random:N`, `leave:COL=VAL`, `leave:COL>=VAL`, `nets:N`, `nets:held-out`, `run:K`
  std::uint64_t seed = 0;
  double target_ms = 0;
  FitOptions fit;
};

/// A report with the items behind it, for plots.
struct Evaluation {
  SplitReport report;
  std::vector<EvalItem> items;
  std::optional<TransferRecord> transfer;  ///< split `device:NAME`
  std::vector<std::string> warnings;       ///< of the transfer
};

/// What is doubtful about the items, for people: "kernel 7 was never sampled (150 of 150 items)", commonest first.
std::vector<std::string> FlagSummary(const Evaluation& evaluation);

/// What a split is made from: the rows of a file as they are (twins not merged), or those of a table.
struct EvalData {
  DeviceIdentity identity;
  std::vector<ImportedRow> rows;  ///< `run:K` looks at the source "run K"
  std::vector<LatencyNet> nets;
};
EvalData EvalDataFromTable(const LatencyTable& table);
EvalData EvalDataFromImport(const ImportedData& data, const DeviceIdentity& identity);

/// Fits inside the split and predicts what was left out; block splits look at mbconv rows. Test rows with a twin among
/// the training rows are dropped for `random`, training twins of test rows for `leave`. Throws kUsage on a bad split,
/// kInput when a side of it is empty.
Evaluation Evaluate(const EvalData& data, const EvalOptions& options);

/// `nets:held-out` of a fitted table: predicts the networks that took no part in any fit.
Evaluation EvaluateHeldOut(const LatencyTable& table, double target_ms = 0, std::uint64_t seed = 0);

/// Median coefficient of variation of rows and networks inside a run, and the deviation between runs; what is not known
/// stays empty.
struct NoiseFloor {
  std::optional<double> within_run, between_runs;
};
NoiseFloor MeasureNoiseFloor(const LatencyTable& table);

/// Noise floor and one report per split. `date`: `2026-11-22`.
Certificate MakeCertificate(const LatencyTable& table, const EvalData& data, const std::vector<std::string>& splits,
                            const std::string& date, std::uint64_t seed = 0, const FitOptions& fit = {});

/// Differences of two certificates' reports beyond rounding, as text; "" = they agree.
std::string CompareCertificates(const Certificate& stored, const Certificate& computed);

/// Predicted against measured, one dot per item on equal axes, with the diagonal and the ±10 % lines: a stand-alone
/// SVG.
std::string ScatterSvg(const Evaluation& evaluation, const std::string& title);

}  // namespace nas
