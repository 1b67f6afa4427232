// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/ridge.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

namespace nas {
namespace {

constexpr double kPenalties[] = {0.1, 0.3, 1, 3, 10, 30, 100};

}  // namespace

double RidgeFit::Predict(const std::vector<double>& x) const {
  double sum = c;
  for (size_t j = 0; j < x.size(); ++j) sum += w[j] * (x[j] - mean[j]) / std[j];
  return sum;
}

RidgeFit FitRidge(const std::vector<std::vector<double>>& rows, const std::vector<double>& y) {
  const auto n = static_cast<Eigen::Index>(rows.size());
  const auto p = static_cast<Eigen::Index>(rows[0].size());
  RidgeFit fit;
  Eigen::MatrixXd x(n, p);
  for (Eigen::Index j = 0; j < p; ++j) {
    double mean = 0, square = 0;
    for (const auto& row : rows) mean += row[j] / static_cast<double>(n);
    for (const auto& row : rows) square += (row[j] - mean) * (row[j] - mean) / static_cast<double>(n);
    const double std = std::sqrt(square) < 1e-9 ? 1 : std::sqrt(square);
    fit.mean.push_back(mean);
    fit.std.push_back(std);
    for (Eigen::Index i = 0; i < n; ++i) x(i, j) = (rows[i][j] - mean) / std;
  }
  const Eigen::Map<const Eigen::VectorXd> target(y.data(), n);
  fit.c = target.mean();
  const Eigen::VectorXd centred = target.array() - fit.c;
  double least = std::numeric_limits<double>::infinity();
  for (double penalty : kPenalties) {
    const Eigen::LDLT<Eigen::MatrixXd> ldlt(x.transpose() * x + penalty * Eigen::MatrixXd::Identity(p, p));
    const Eigen::VectorXd w = ldlt.solve(x.transpose() * centred);
    const Eigen::VectorXd leverage =
        x.cwiseProduct(ldlt.solve(x.transpose()).transpose()).rowwise().sum().array() + 1 / static_cast<double>(n);
    const Eigen::VectorXd loo = (centred - x * w).cwiseQuotient((1 - leverage.array()).max(1e-3).matrix());
    if (loo.squaredNorm() < least) {
      least = loo.squaredNorm();
      fit.w.assign(w.begin(), w.end());
      fit.loo_error = std::sqrt(least / static_cast<double>(n));
    }
  }
  return fit;
}

}  // namespace nas
