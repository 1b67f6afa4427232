// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "nas/latency/features.h"
#include "nas/latency/latency_table.h"

namespace nas {

/// Predicts ln(t / lin) from the shape of a block: a Gaussian process with an isotropic kernel over a fixed list of
/// centres (latency.md §3.2; subset of regressors when the centres are fewer than the rows).
class Residual {
 public:
  explicit Residual(ResidualParams params);
  ~Residual();
  Residual(Residual&&) noexcept;
  Residual& operator=(Residual&&) noexcept;

  /// g(z), clipped.
  double Mean(const ShapeVector& shape) const;
  /// v(z): variance of ln t.
  double Variance(const ShapeVector& shape) const;

 private:
  struct Solved;  // factor of K_cc + λI
  std::unique_ptr<const Solved> solved_;
};

struct ResidualOptions {
  int exact_limit = 500;  ///< up to so many rows every row is a centre; 0 = k-means centres always
  int centres = 64;       ///< k-means centres beyond that
};

struct ResidualFit {
  ResidualParams params;
  std::vector<double> loo;  ///< y_i − g_{−i}(z_i)
};

/// Length and λ by the least closed-form leave-one-out error. `shapes` and `y` in a fixed order: ties go to the first.
ResidualFit FitResidual(const std::vector<ShapeVector>& shapes, const std::vector<double>& y,
                        const ResidualOptions& options);

/// k-means in standardised shapes: seeds are the row nearest the mean, then always the row farthest from all seeds;
/// Lloyd's iteration afterwards. At most `count` centres, fewer when there are fewer distinct rows.
std::vector<std::vector<double>> KMeansCentres(const std::vector<std::vector<double>>& rows, int count);

/// Mean and deviation of each entry; deviations below 1e-9 become 1.
void StandardiseShapes(const std::vector<ShapeVector>& shapes, std::vector<double>* mean, std::vector<double>* std);
std::vector<double> Standardised(const ShapeVector& shape, const std::vector<double>& mean,
                                 const std::vector<double>& std);

}  // namespace nas
