// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/certificate.h"

#include <algorithm>
#include <cmath>

#include "merged_rows.h"
#include "nas/core/error.h"
#include "nas/core/stats.h"
#include "nas/core/text.h"
#include "nas/latency/evaluation.h"

namespace nas {
namespace {

void AddVariation(const SampleStats& stats, std::vector<double>* list) {
  if (stats.std && stats.n > 1) list->push_back(*stats.std / stats.mean.value_or(stats.Value()));
}

std::string CompareFigure(const std::string& split, const char* name, double stored, double computed) {
  if (std::abs(stored - computed) <= 1e-6 * std::max({1.0, std::abs(stored), std::abs(computed)})) return "";
  return StrCat(split, " ", name, ": stored ", stored, ", computed ", computed, "; ");
}

}  // namespace

NoiseFloor MeasureNoiseFloor(const LatencyTable& table) {
  NoiseFloor floor;
  std::vector<double> variation;
  for (const auto& row : table.rows) AddVariation(row.stats, &variation);
  for (const auto& net : table.nets) AddVariation(net.stats, &variation);
  if (!variation.empty()) floor.within_run = Median(variation);
  floor.between_runs = EstimateRunSigma(table.rows);
  return floor;
}

Certificate MakeCertificate(const LatencyTable& table, const EvalData& data, const std::vector<std::string>& splits,
                            const std::string& date, std::uint64_t seed, const FitOptions& fit) {
  Certificate certificate;
  certificate.tool = ToolVersion();
  certificate.date = date;
  const NoiseFloor floor = MeasureNoiseFloor(table);
  certificate.within_run = floor.within_run;
  certificate.between_runs = floor.between_runs;
  for (const auto& split : splits) {
    if (split == "nets:held-out") {
      certificate.splits.push_back(EvaluateHeldOut(table, 0, seed).report);
    } else {
      EvalOptions options;
      options.split = split;
      options.seed = seed;
      options.fit = fit;
      certificate.splits.push_back(Evaluate(data, options).report);
    }
  }
  if (table.certificate) certificate.transfer = table.certificate->transfer;
  return certificate;
}

std::string CompareCertificates(const Certificate& stored, const Certificate& computed) {
  std::string text;
  for (const auto& now : computed.splits) {
    const auto old =
        std::find_if(stored.splits.begin(), stored.splits.end(), [&](const auto& s) { return s.split == now.split; });
    if (old == stored.splits.end()) continue;
    text += CompareFigure(now.split, "n", old->n, now.n);
    text += CompareFigure(now.split, "mape", old->mape, now.mape);
    text += CompareFigure(now.split, "max_ape", old->max_ape, now.max_ape);
    text += CompareFigure(now.split, "bias", old->bias, now.bias);
  }
  return text.empty() ? text : text.substr(0, text.size() - 2);
}

}  // namespace nas
