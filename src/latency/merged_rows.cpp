// SPDX-License-Identifier: Apache-2.0
#include "merged_rows.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace nas {
namespace {

constexpr double kUnknownSigma = 0.03;    // no std or no count
constexpr std::int64_t kMostCount = 100;  // means over more runs are not independent
constexpr size_t kLeastRepeatedKeys = 5;

std::map<std::string, std::vector<const LatencyRow*>> ByKey(const std::vector<LatencyRow>& rows) {
  std::map<std::string, std::vector<const LatencyRow*>> groups;
  for (const auto& row : rows) groups[row.key].push_back(&row);
  for (auto& [key, group] : groups) {
    std::sort(group.begin(), group.end(), [](const LatencyRow* a, const LatencyRow* b) {
      return std::make_pair(a->run, a->stats.Value()) < std::make_pair(b->run, b->stats.Value());
    });
  }
  return groups;
}

double RowVariance(const SampleStats& stats, double sigma_run) {
  if (!stats.std || stats.n < 1) return kUnknownSigma * kUnknownSigma;
  const double relative = *stats.std / stats.mean.value_or(stats.Value());
  return relative * relative / static_cast<double>(std::min(stats.n, kMostCount)) + sigma_run * sigma_run;
}

}  // namespace

std::vector<MergedRow> MergeRuns(const std::vector<LatencyRow>& rows, double sigma_run) {
  std::vector<MergedRow> merged;
  for (const auto& [key, group] : ByKey(rows)) {
    MergedRow& row = merged.emplace_back();
    row.sample.key = ParseBlockKey(key);
    if (group.size() == 1) {
      row.sample.ms = group[0]->stats.Value();
      row.variance = RowVariance(group[0]->stats, sigma_run);
      continue;
    }
    double precision = 0, sum = 0;
    for (const LatencyRow* one : group) {
      const double weight = 1 / std::max(RowVariance(one->stats, sigma_run), 1e-12);
      precision += weight;
      sum += weight * std::log(one->stats.Value());
    }
    row.sample.ms = std::exp(sum / precision);
    row.variance = 1 / precision;
  }
  return merged;
}

std::optional<double> EstimateRunSigma(const std::vector<LatencyRow>& rows) {
  double squares = 0;
  size_t pairs = 0, keys = 0;
  for (const auto& [key, group] : ByKey(rows)) {
    bool repeated = false;
    for (size_t i = 1; i < group.size(); ++i) {
      if (group[i]->run == group[0]->run) continue;
      squares += std::pow(std::log(group[i]->stats.Value() / group[0]->stats.Value()), 2);
      ++pairs;
      repeated = true;
    }
    keys += repeated ? 1 : 0;
  }
  if (keys < kLeastRepeatedKeys) return std::nullopt;
  return std::sqrt(squares / static_cast<double>(pairs) / 2);  // the difference of two runs has twice the variance
}

}  // namespace nas
