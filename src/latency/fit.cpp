// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/fit.h"

#include <algorithm>

#include "block_fit.h"
#include "calibration.h"
#include "eval_item.h"
#include "merged_rows.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/latency/features.h"
#include "nas/latency/hull.h"
#include "nas/latency/latency_model.h"
#include "net_fit.h"

namespace nas {
namespace {

constexpr int kMostLaunchBoundBatch = 4;

bool TriesLaunchForm(const DeviceIdentity& identity) {
  return identity.is_gpu() && identity.batch >= 1 && identity.batch <= kMostLaunchBoundBatch;
}

std::vector<LatencyNet> CalibrationNets(const LatencyTable& table) {
  std::vector<LatencyNet> nets;
  for (const auto& net : table.nets) {
    if (net.role == "calibrate") nets.push_back(net);
  }
  return nets;
}

ModelParams FitBlockModel(const LatencyTable& table, const FitOptions& options) {
  ModelParams model;
  model.sigma_run = EstimateRunSigma(table.rows).value_or(model.sigma_run);
  std::vector<BlockSample> all, mbconv;
  std::vector<BlockKey> keys;
  for (const auto& row : MergeRuns(table.rows, model.sigma_run)) {
    all.push_back(row.sample);
    keys.push_back(row.sample.key);
    if (row.sample.key.op == BlockOp::kMbconv) mbconv.push_back(row.sample);
  }
  if (mbconv.empty()) {
    ThrowInput(StrCat("table \"", table.name, "\" has ", all.size(), " rows but no mbconv block; measure some blocks"));
  }
  MbconvFit fit = FitMbconv(mbconv, options);
  model.features = PhiNames();
  model.channel_multiple = fit.channel_multiple;
  model.w = std::move(fit.w);
  model.residual = std::move(fit.residual);
  model.sigma_model = SigmaModel(fit.loo, options);
  model.head = FitHeads(all, table.identity.is_gpu());
  std::vector<int> resolutions;
  for (const auto& net : CalibrationNets(table)) resolutions.push_back(net.resolution);
  model.hull = BuildHull(keys, resolutions);
  return model;
}

}  // namespace

void FitTable(LatencyTable& table, const FitOptions& options) {
  SortTable(table);
  const std::vector<LatencyNet> nets = CalibrationNets(table);
  if (table.rows.empty()) {
    ModelParams model;
    Calibration calibration;
    FitWholeNetworks(nets, TriesLaunchForm(table.identity), &model, &calibration);
    table.model = std::move(model);
    table.calibration = calibration;
    return;
  }
  table.model = FitBlockModel(table, options);
  table.calibration = Calibration{};
  CalibrateTable(table);
}

void CalibrateTable(LatencyTable& table) {
  const LatencyModel model(table);
  std::vector<NetSample> samples;
  for (const auto& net : CalibrationNets(table)) {
    NetSample& sample = samples.emplace_back();
    for (const auto& key : net.keys) {
      const BlockPrediction block = model.PredictBlock(ParseBlockKey(key), net.resolution);
      sample.sum += block.ms;
      sample.variance += block.ms * block.ms * block.sigma * block.sigma;
      sample.launches += block.launches;
    }
    sample.ms = net.stats.Value();
    if (net.stats.ci) {
      sample.weight = WeightOfNoise(((*net.stats.ci)[1] - (*net.stats.ci)[0]) / 2 / kNormalQuantile / sample.ms);
    }
  }
  table.calibration = FitCalibration(samples, TriesLaunchForm(table.identity));
}

}  // namespace nas
