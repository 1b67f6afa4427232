// SPDX-License-Identifier: Apache-2.0
#include "nnls.h"

#include <algorithm>
#include <cmath>

namespace nas {
namespace {

Eigen::MatrixXd SubMatrix(const Eigen::MatrixXd& matrix, const std::vector<int>& index) {
  Eigen::MatrixXd sub(index.size(), index.size());
  for (size_t i = 0; i < index.size(); ++i) {
    for (size_t j = 0; j < index.size(); ++j) sub(i, j) = matrix(index[i], index[j]);
  }
  return sub;
}

Eigen::VectorXd SubVector(const Eigen::VectorXd& vector, const std::vector<int>& index) {
  Eigen::VectorXd sub(index.size());
  for (size_t i = 0; i < index.size(); ++i) sub(i) = vector(index[i]);
  return sub;
}

/// Least squares on the passive set; false when its columns are dependent (a pivot of the unit-norm Gram matrix
/// vanishes).
bool SolvePassive(const Eigen::MatrixXd& gram, const Eigen::VectorXd& moment, const std::vector<int>& passive,
                  Eigen::VectorXd* solution) {
  const Eigen::LLT<Eigen::MatrixXd> llt(SubMatrix(gram, passive));
  if (llt.info() != Eigen::Success) return false;
  const Eigen::VectorXd pivots = Eigen::MatrixXd(llt.matrixL()).diagonal();
  if (pivots.minCoeff() < 1e-6) return false;
  *solution = llt.solve(SubVector(moment, passive));
  return true;
}

}  // namespace

NormalEquations::NormalEquations(int columns)
    : gram_(Eigen::MatrixXd::Zero(columns, columns)), moment_(Eigen::VectorXd::Zero(columns)) {}

void NormalEquations::Add(std::span<const double> row, double target, double weight) {
  const Eigen::Map<const Eigen::VectorXd> x(row.data(), static_cast<Eigen::Index>(row.size()));
  gram_.noalias() += weight * x * x.transpose();
  moment_.noalias() += weight * target * x;
  target_square_ += weight * target * target;
}

std::vector<double> NormalEquations::SolveNonNegative() const {
  const int n = static_cast<int>(moment_.size());
  Eigen::VectorXd norm(n);
  std::vector<bool> usable(n);
  const double largest = n > 0 ? gram_.diagonal().maxCoeff() : 0;
  for (int j = 0; j < n; ++j) {
    usable[j] = gram_(j, j) > 1e-24 * largest;
    norm(j) = usable[j] ? std::sqrt(gram_(j, j)) : 1;
  }
  const Eigen::MatrixXd gram = norm.cwiseInverse().asDiagonal() * gram_ * norm.cwiseInverse().asDiagonal();
  const Eigen::VectorXd moment = moment_.cwiseQuotient(norm);
  const double tolerance = 1e-10 * std::sqrt(std::max(target_square_, 0.0));

  Eigen::VectorXd x = Eigen::VectorXd::Zero(n);
  std::vector<int> passive;
  std::vector<bool> blocked(n, false);  // dependent on the passive set, until that shrinks
  for (int outer = 0; outer < 20 * n + 20; ++outer) {
    const Eigen::VectorXd gradient = moment - gram * x;
    int enter = -1;
    for (int j = 0; j < n; ++j) {
      if (!usable[j] || blocked[j] || std::find(passive.begin(), passive.end(), j) != passive.end()) continue;
      if (gradient(j) > tolerance && (enter < 0 || gradient(j) > gradient(enter))) enter = j;
    }
    if (enter < 0) break;
    passive.insert(std::lower_bound(passive.begin(), passive.end(), enter), enter);
    for (bool first = true; !passive.empty(); first = false) {
      Eigen::VectorXd solution;
      const bool solved = SolvePassive(gram, moment, passive, &solution);
      const auto entered = std::lower_bound(passive.begin(), passive.end(), enter);
      // Numerically the entering column may come out negative at once: it cannot improve the fit.
      if (!solved || (first && solution(entered - passive.begin()) <= 0)) {
        if (entered != passive.end() && *entered == enter) passive.erase(entered);
        blocked[enter] = true;
        break;
      }
      if (solution.minCoeff() > 0) {
        x.setZero();
        for (size_t i = 0; i < passive.size(); ++i) x(passive[i]) = solution(i);
        break;
      }
      double step = 1;
      for (size_t i = 0; i < passive.size(); ++i) {
        if (solution(i) <= 0) step = std::min(step, x(passive[i]) / (x(passive[i]) - solution(i)));
      }
      std::vector<int> kept;
      for (size_t i = 0; i < passive.size(); ++i) {
        double& value = x(passive[i]);
        value += step * (solution(i) - value);
        if (solution(i) <= 0 && value <= 1e-14) {
          value = 0;
        } else {
          kept.push_back(passive[i]);
        }
      }
      if (kept.size() == passive.size()) {  // rounding kept the blocking variable: drop the smallest
        const auto least = std::min_element(kept.begin(), kept.end(), [&](int a, int b) { return x(a) < x(b); });
        x(*least) = 0;
        kept.erase(least);
      }
      passive = kept;
      std::fill(blocked.begin(), blocked.end(), false);
      blocked[enter] = std::find(passive.begin(), passive.end(), enter) == passive.end();
    }
  }
  std::vector<double> weights(n);
  for (int j = 0; j < n; ++j) weights[j] = x(j) / norm(j);
  return weights;
}

double NormalEquations::Leverage(std::span<const double> row, const std::vector<double>& x) const {
  std::vector<int> used;
  for (size_t j = 0; j < x.size(); ++j) {
    if (x[j] > 0) used.push_back(static_cast<int>(j));
  }
  if (used.empty()) return 0;
  const Eigen::Map<const Eigen::VectorXd> full(row.data(), static_cast<Eigen::Index>(row.size()));
  const Eigen::VectorXd part = SubVector(full, used);
  return part.dot(SubMatrix(gram_, used).ldlt().solve(part));
}

}  // namespace nas
