// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <span>
#include <vector>

namespace nas {

/// Normal equations of min Σ (row_i·x − target_i)²: built row by row, so that leave-one-out is one `Add` with weight
/// −1.
class NormalEquations {
 public:
  explicit NormalEquations(int columns);
  void Add(std::span<const double> row, double target, double weight = 1);
  /// x ≥ 0 by Lawson–Hanson (Solving Least Squares Problems, 1974, ch. 23) with columns scaled to unit norm. Columns
  /// that are zero, or dependent on those already in use, get 0. Ties go to the lowest index.
  std::vector<double> SolveNonNegative() const;
  /// rowᵀ·G⁻¹·row over the columns that `x` uses: the leverage of a row.
  double Leverage(std::span<const double> row, const std::vector<double>& x) const;

 private:
  Eigen::MatrixXd gram_;
  Eigen::VectorXd moment_;
  double target_square_ = 0;
};

}  // namespace nas
