// SPDX-License-Identifier: Apache-2.0
#include "block_fit.h"

#include <algorithm>
#include <cmath>

#include "nas/core/error.h"
#include "nas/latency/features.h"
#include "nnls.h"

namespace nas {
namespace {

constexpr double kLeastMs = 1e-6;
constexpr double kFewRowsSigma = 0.05;
constexpr double kChannelGain = 0.98;  // rounded channels must lower the leave-one-out error by 2 %

bool AllMultiples(const std::vector<BlockSample>& samples, int multiple) {
  return std::all_of(samples.begin(), samples.end(), [&](const BlockSample& s) {
    return s.key.cin % multiple == 0 && s.key.cout % multiple == 0 && s.key.mid % multiple == 0;
  });
}

std::vector<std::vector<double>> RelativeRows(const std::vector<BlockSample>& samples, int channel_multiple) {
  std::vector<std::vector<double>> rows;
  for (const auto& sample : samples) {
    const PhiVector phi = Phi(sample.key, channel_multiple);
    auto& row = rows.emplace_back(phi.begin(), phi.end());
    for (double& value : row) value /= sample.ms;
  }
  return rows;
}

void AddPrior(const std::vector<std::vector<double>>& rows, const WeightPrior& prior, NormalEquations* equations) {
  for (int j = 0; j < kPhiSize; ++j) {
    double square = 0;
    for (const auto& row : rows) square += row[j] * row[j] / static_cast<double>(rows.size());
    // A column that the few rows do not excite keeps the source's weight: a term of any strength says so.
    double rms = std::sqrt(square);
    if (square <= 0 && prior.w[j] > 0) rms = 1e-3 / prior.w[j];
    std::vector<double> extra(kPhiSize, 0.0);
    extra[j] = std::sqrt(prior.mu) * rms;
    equations->Add(extra, extra[j] * prior.w[j]);
  }
}

/// Closed-form leave-one-out errors of ln(t/lin): residual over 1 − leverage.
std::vector<double> LinearLoo(const std::vector<std::vector<double>>& rows, const NormalEquations& equations,
                              const std::vector<double>& w, const std::vector<double>& y) {
  std::vector<double> loo;
  for (size_t i = 0; i < rows.size(); ++i) {
    loo.push_back(y[i] / std::max(1 - equations.Leverage(rows[i], w), 0.05));
  }
  return loo;
}

MbconvFit FitWith(const std::vector<BlockSample>& samples, const FitOptions& options, const WeightPrior* prior,
                  int channel_multiple) {
  MbconvFit fit;
  fit.channel_multiple = channel_multiple;
  const auto rows = RelativeRows(samples, channel_multiple);
  NormalEquations equations(kPhiSize);
  for (const auto& row : rows) equations.Add(row, 1);
  if (prior != nullptr) AddPrior(rows, *prior, &equations);
  fit.w = equations.SolveNonNegative();
  std::vector<double> y;
  std::vector<ShapeVector> shapes;
  for (const auto& sample : samples) {
    y.push_back(std::log(sample.ms / LinearPart(sample.key, fit.w, channel_multiple)));
    shapes.push_back(Shape(sample.key));
  }
  if (options.residual && static_cast<int>(samples.size()) >= options.min_residual_rows) {
    ResidualFit residual = FitResidual(shapes, y, options.residual_options);
    fit.residual = std::move(residual.params);
    fit.loo = std::move(residual.loo);
  } else {
    fit.loo = LinearLoo(rows, equations, fit.w, y);
  }
  return fit;
}

double MeanSquare(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value * value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

MbconvFit FitMbconv(const std::vector<BlockSample>& samples, const FitOptions& options, const WeightPrior* prior) {
  if (samples.empty()) ThrowInternal("an mbconv fit without samples");
  MbconvFit best = FitWith(samples, options, prior, 1);
  for (int multiple : {4, 8}) {
    if (AllMultiples(samples, multiple)) continue;  // nothing to tell apart
    MbconvFit other = FitWith(samples, options, prior, multiple);
    if (std::sqrt(MeanSquare(other.loo)) <= kChannelGain * std::sqrt(MeanSquare(best.loo))) best = std::move(other);
  }
  return best;
}

double SigmaModel(const std::vector<double>& loo, const FitOptions& options) {
  const double sigma = std::sqrt(MeanSquare(loo));
  return static_cast<int>(loo.size()) < options.min_residual_rows ? std::max(sigma, kFewRowsSigma) : sigma;
}

double LinearPart(const BlockKey& key, const std::vector<double>& w, int channel_multiple) {
  const PhiVector phi = Phi(key, channel_multiple);
  double sum = 0;
  for (int j = 0; j < kPhiSize; ++j) sum += w[j] * phi[j];
  return std::max(sum, kLeastMs);
}

}  // namespace nas
