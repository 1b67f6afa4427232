// SPDX-License-Identifier: Apache-2.0
#include "head_model.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "nas/core/stats.h"
#include "nas/latency/features.h"
#include "nnls.h"

namespace nas {
namespace {

constexpr double kLeastMs = 1e-6;
constexpr double kMsPerMillionWeights = 0.35;  // classifier-like layers on CPUs: bound by reading the weights

bool WeightBound(BlockOp op) { return op == BlockOp::kConv2 || op == BlockOp::kLogits; }

/// The features of a full fit, and the one that scales when a single row is known.
std::vector<std::string> FullFeatures(BlockOp op, const std::vector<BlockSample>& samples) {
  switch (op) {
    case BlockOp::kAvgPool:
      return {"one", "el_in"};
    case BlockOp::kConv1x1:
      return {"one", "macs", "el_io"};
    case BlockOp::kConv2:
    case BlockOp::kLogits: {
      const bool pools = std::any_of(samples.begin(), samples.end(), [](const auto& s) { return s.key.h > 1; });
      return pools ? std::vector<std::string>{"weights", "el_in"} : std::vector<std::string>{"weights"};
    }
    default:
      return {"one", "macs"};
  }
}

std::string ScaleFeature(BlockOp op) {
  if (op == BlockOp::kAvgPool) return "el_in";
  return WeightBound(op) ? "weights" : "macs";
}

HeadParams FitFull(const std::vector<BlockSample>& samples, std::vector<std::string> features, int distinct) {
  NormalEquations equations(static_cast<int>(features.size()));
  for (const auto& sample : samples) {
    std::vector<double> row;
    for (const auto& name : features) row.push_back(HeadFeature(sample.key, name) / sample.ms);
    equations.Add(row, 1);
  }
  return {std::move(features), equations.SolveNonNegative(), distinct};
}

HeadParams FitOp(BlockOp op, const std::vector<BlockSample>& samples) {
  std::set<BlockKey> distinct;
  for (const auto& sample : samples) distinct.insert(sample.key);
  if (distinct.size() == 1) return FitFull(samples, {ScaleFeature(op)}, 1);
  return FitFull(samples, FullFeatures(op, samples), static_cast<int>(distinct.size()));
}

/// Elements read and written by mbconv blocks per ms, in millions: what a pooling without rows is priced at.
double MedianElementsPerMs(const std::vector<BlockSample>& samples) {
  std::vector<double> rates;
  for (const auto& sample : samples) {
    if (sample.key.op == BlockOp::kMbconv) rates.push_back(HeadFeature(sample.key, "el_io") / sample.ms);
  }
  return rates.empty() ? 0 : Median(rates);
}

}  // namespace

double MedianMmacPerMs(const std::vector<BlockSample>& samples) {
  std::vector<double> rates;
  for (const auto& sample : samples) {
    const double macs = BlockMacs(sample.key);
    if (macs > 0) rates.push_back(macs / 1e6 / sample.ms);
  }
  return rates.empty() ? 0 : Median(rates);
}

std::vector<std::pair<std::string, HeadParams>> FitHeads(const std::vector<BlockSample>& samples, bool gpu) {
  const double mmac_per_ms = MedianMmacPerMs(samples);
  const double elements_per_ms = MedianElementsPerMs(samples);
  std::vector<std::pair<std::string, HeadParams>> heads;
  for (BlockOp op : AllBlockOps()) {
    if (op == BlockOp::kMbconv) continue;
    std::vector<BlockSample> own;
    std::copy_if(samples.begin(), samples.end(), std::back_inserter(own),
                 [&](const auto& s) { return s.key.op == op; });
    const std::string name(ToString(op));
    if (!own.empty()) {
      heads.emplace_back(name, FitOp(op, own));
      continue;
    }
    double per_unit = mmac_per_ms > 0 ? 1 / mmac_per_ms : 0;
    if (WeightBound(op) && !gpu) per_unit = kMsPerMillionWeights;
    if (op == BlockOp::kAvgPool) per_unit = elements_per_ms > 0 ? 1 / elements_per_ms : 0;
    heads.emplace_back(name, HeadParams{{ScaleFeature(op)}, {per_unit}, 0});
  }
  std::sort(heads.begin(), heads.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return heads;
}

double PredictHead(const HeadParams& head, const BlockKey& key) {
  double ms = 0;
  for (size_t i = 0; i < head.features.size(); ++i) ms += head.w[i] * HeadFeature(key, head.features[i]);
  return std::max(ms, kLeastMs);
}

}  // namespace nas
