// SPDX-License-Identifier: Apache-2.0
#include "mbconv_predictor.h"

#include <algorithm>
#include <cmath>

#include "block_fit.h"
#include "nas/latency/features.h"

namespace nas {

MbconvPredictor::MbconvPredictor(const ModelParams& model)
    : w_(model.w),
      channel_multiple_(model.channel_multiple),
      sigma_model_(model.sigma_model),
      inferred_(model.inferred()),
      map_(model.transfer) {
  if (map_) {
    for (const auto& source : map_->sources) sources_.emplace_back(source);
    map_->sources.clear();
  } else if (model.residual) {
    residual_.emplace(*model.residual);
  }
}

double MbconvPredictor::Linear(const BlockKey& key) const { return LinearPart(key, w_, channel_multiple_); }

double MbconvPredictor::Mapped(const BlockKey& key) const {
  std::vector<double> source_ms;
  for (const auto& source : sources_) source_ms.push_back(source.PredictMs(key));
  return MapSourceMs(*map_, key, source_ms);
}

double MbconvPredictor::PredictMs(const BlockKey& key) const {
  if (map_) return Mapped(key);
  return residual_ ? Linear(key) * std::exp(residual_->Mean(Shape(key))) : Linear(key);
}

MbconvPredictor::Result MbconvPredictor::Predict(const BlockKey& key) const {
  // Errors of a whole-network model stand in σ_cal.
  double sigma = inferred_ ? 0 : sigma_model_;
  if (residual_) sigma = std::sqrt(residual_->Variance(Shape(key)));
  return {PredictMs(key), sigma};
}

double MapSourceMs(const TransferMap& map, const BlockKey& key, const std::vector<double>& source_ms) {
  if (map.level == "affine") return map.a * source_ms[0] + map.b;
  const std::vector<double> columns = RidgeColumns(key, source_ms);
  double ln = std::log(source_ms[0]) + map.c;
  for (size_t j = 0; j < columns.size(); ++j) ln += map.w[j] * (columns[j] - map.mean[j]) / map.std[j];
  return std::exp(ln);
}

std::vector<double> RidgeColumns(const BlockKey& key, const std::vector<double>& source_ms) {
  const ShapeVector z = Shape(key);
  std::vector<double> columns(z.begin(), z.end());
  columns.push_back(std::log(source_ms[0]));
  for (size_t i = 1; i < source_ms.size(); ++i) columns.push_back(std::log(source_ms[i] / source_ms[0]));
  return columns;
}

}  // namespace nas
