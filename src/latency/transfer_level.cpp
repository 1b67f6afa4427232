// SPDX-License-Identifier: Apache-2.0
#include "transfer_level.h"

#include <cmath>
#include <optional>

#include "block_fit.h"
#include "nas/core/stats.h"
#include "nas/latency/features.h"
#include "nas/latency/ridge.h"
#include "nnls.h"

namespace nas {
namespace {

constexpr size_t kMostSingleFolds = 30;
constexpr size_t kFolds = 20;
constexpr int kMedianItems = 5;  // below, the mean of few logarithms is the better centre
constexpr double kPriorStrengths[] = {0.1, 1};

/// c of ln t = ln s + c.
double LogFactor(const TransferItems& items) {
  std::vector<double> logs;
  for (size_t i = 0; i < items.blocks.size(); ++i) logs.push_back(std::log(items.blocks[i].ms / items.source_ms[i][0]));
  return static_cast<int>(logs.size()) >= kMedianItems ? Median(logs) : Mean(logs);
}

ModelParams Mapped(TransferMap map) {
  ModelParams model;
  model.features = PhiNames();
  model.w.assign(kPhiSize, 0);
  model.transfer = std::move(map);
  return model;
}

ModelParams FitScaleLevel(const TransferItems& items) {
  TransferMap map;
  map.level = "affine";
  map.a = std::exp(LogFactor(items));
  return Mapped(std::move(map));
}

ModelParams FitAffineLevel(const TransferItems& items) {
  NormalEquations equations(2);
  for (size_t i = 0; i < items.blocks.size(); ++i) {
    const double t = items.blocks[i].ms;
    equations.Add(std::vector<double>{items.source_ms[i][0] / t, 1 / t}, 1);
  }
  const std::vector<double> ab = equations.SolveNonNegative();
  TransferMap map;
  map.level = "affine";
  map.a = ab[0];
  map.b = ab[1];
  return Mapped(std::move(map));
}

ModelParams FitRidgeLevel(const TransferItems& items) {
  std::vector<std::vector<double>> rows;
  std::vector<double> y;
  for (size_t i = 0; i < items.blocks.size(); ++i) {
    rows.push_back(RidgeColumns(items.blocks[i].key, items.source_ms[i]));
    y.push_back(std::log(items.blocks[i].ms / items.source_ms[i][0]));
  }
  RidgeFit fit = FitRidge(rows, y);
  TransferMap map;
  map.level = "ridge";
  map.c = fit.c;
  map.mean = std::move(fit.mean);
  map.std = std::move(fit.std);
  map.w = std::move(fit.w);
  return Mapped(std::move(map));
}

ModelParams FromMbconvFit(MbconvFit fit) {
  ModelParams model;
  model.features = PhiNames();
  model.channel_multiple = fit.channel_multiple;
  model.w = std::move(fit.w);
  model.residual = std::move(fit.residual);
  return model;
}

/// Weights that say the same as the source at these blocks: its own, or, for a mapped source, a fit on its predictions.
std::vector<double> SourceWeights(const TransferItems& items, const ModelParams& source) {
  if (!source.transfer) return source.w;
  NormalEquations equations(kPhiSize);
  for (size_t i = 0; i < items.blocks.size(); ++i) {
    const PhiVector phi = Phi(items.blocks[i].key);
    std::vector<double> row(phi.begin(), phi.end());
    for (double& value : row) value /= items.source_ms[i][0];
    equations.Add(row, 1);
  }
  return equations.SolveNonNegative();
}

double SquaredErrors(const std::vector<double>& errors) {
  double sum = 0;
  for (double e : errors) sum += e * e;
  return sum;
}

ModelParams FitPriorLevel(const TransferItems& items, const std::vector<TransferSource>& sources,
                          const FitOptions& options) {
  WeightPrior prior;
  prior.w = SourceWeights(items, sources[0].model);
  prior.w.resize(kPhiSize);  // a whole-network source has two more
  const double factor = std::exp(LogFactor(items));
  for (double& w : prior.w) w *= factor;
  MbconvFit best;
  for (double mu : kPriorStrengths) {
    prior.mu = mu;
    MbconvFit fit = FitMbconv(items.blocks, options, &prior);
    if (best.w.empty() || SquaredErrors(fit.loo) < SquaredErrors(best.loo)) best = std::move(fit);
  }
  return FromMbconvFit(std::move(best));
}

}  // namespace

ModelParams FitLevel(TransferLevel level, const TransferItems& items, const std::vector<TransferSource>& sources,
                     const FitOptions& options) {
  switch (level) {
    case TransferLevel::kScale:
      return FitScaleLevel(items);
    case TransferLevel::kAffine:
      return FitAffineLevel(items);
    case TransferLevel::kPrior:
      return FitPriorLevel(items, sources, options);
    case TransferLevel::kRidge:
      return FitRidgeLevel(items);
    case TransferLevel::kScratch:
      return FromMbconvFit(FitMbconv(items.blocks, options));
  }
  return {};
}

void AttachSources(const std::vector<TransferSource>& sources, ModelParams* model) {
  if (!model->transfer) return;
  const size_t used = model->transfer->level == "ridge" ? sources.size() : 1;
  for (size_t i = 0; i < used; ++i) {
    model->transfer->names.push_back(sources[i].name);
    model->transfer->sources.push_back(sources[i].model);
  }
}

std::vector<double> LeaveOneOutErrors(TransferLevel level, const TransferItems& items,
                                      const std::vector<TransferSource>& sources, const FitOptions& options) {
  const size_t n = items.blocks.size();
  const size_t folds = n <= kMostSingleFolds ? n : kFolds;
  std::vector<double> errors(n, 0.0);
  if (n < 2) return errors;
  // The folds use a residual exactly if the fit on all items does.
  FitOptions fold_options = options;
  fold_options.min_residual_rows = static_cast<int>(n) >= options.min_residual_rows ? 1 : options.min_residual_rows;
  for (size_t fold = 0; fold < folds; ++fold) {
    TransferItems rest;
    for (size_t i = 0; i < n; ++i) {
      if (i % folds == fold) continue;
      rest.blocks.push_back(items.blocks[i]);
      rest.source_ms.push_back(items.source_ms[i]);
    }
    const ModelParams model = FitLevel(level, rest, sources, fold_options);
    std::optional<MbconvPredictor> own;
    if (!model.transfer) own.emplace(model);
    for (size_t i = fold; i < n; i += folds) {
      const BlockSample& block = items.blocks[i];
      const double ms = own ? own->PredictMs(block.key) : MapSourceMs(*model.transfer, block.key, items.source_ms[i]);
      errors[i] = std::log(ms / block.ms);
    }
  }
  return errors;
}

}  // namespace nas
