// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/residual.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "nas/core/error.h"

namespace nas {
namespace {

constexpr double kLengths[] = {1, 2, 4, 8};
constexpr double kLambdas[] = {0.01, 0.1, 0.5};

/// [rows, kShapeSize]
Eigen::MatrixXd ToMatrix(const std::vector<std::vector<double>>& rows) {
  Eigen::MatrixXd matrix(rows.size(), rows.empty() ? 0 : rows[0].size());
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < rows[i].size(); ++j) matrix(i, j) = rows[i][j];
  }
  return matrix;
}

/// κ of every row of `a` with every row of `b`.
Eigen::MatrixXd Kernel(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, double length) {
  Eigen::MatrixXd kernel(a.rows(), b.rows());
  for (Eigen::Index j = 0; j < b.rows(); ++j) {
    kernel.col(j) = (-(a.rowwise() - b.row(j)).rowwise().squaredNorm() / (2 * length * length)).array().exp();
  }
  return kernel;
}

struct Candidate {
  double length = 0, lambda = 0;
  Eigen::VectorXd alpha;
  Eigen::VectorXd loo;
  double error = std::numeric_limits<double>::infinity();
  double s2 = 0;
};

void KeepBetter(Candidate candidate, Candidate* best) {
  candidate.error = candidate.loo.squaredNorm();
  if (candidate.error < best->error) *best = std::move(candidate);
}

/// Every row is a centre: α = (K + λI)⁻¹y, e_i = α_i / [(K + λI)⁻¹]_ii.
Candidate FitExact(const Eigen::MatrixXd& z, const Eigen::VectorXd& y) {
  Candidate best;
  const Eigen::Index n = z.rows();
  for (double length : kLengths) {
    const Eigen::MatrixXd kernel = Kernel(z, z, length);
    for (double lambda : kLambdas) {
      const Eigen::LLT<Eigen::MatrixXd> llt(kernel + lambda * Eigen::MatrixXd::Identity(n, n));
      if (llt.info() != Eigen::Success) continue;
      const Eigen::MatrixXd inverse_factor =
          llt.matrixL().solve(Eigen::MatrixXd::Identity(n, n));  // [(K+λI)⁻¹]_ii = squared norm of its column i
      const Eigen::VectorXd inverse_diagonal = inverse_factor.colwise().squaredNorm().transpose();
      Candidate candidate{length, lambda, llt.solve(y), {}, 0, 0};
      candidate.loo = candidate.alpha.cwiseQuotient(inverse_diagonal);
      candidate.s2 = candidate.loo.cwiseAbs2().dot(inverse_diagonal) / static_cast<double>(n);
      KeepBetter(std::move(candidate), &best);
    }
  }
  return best;
}

/// 1 + λ − κᵀ(K_cc + λI)⁻¹κ for each row of `cross` (κ with the centres).
Eigen::VectorXd UnitVariance(const Eigen::LLT<Eigen::MatrixXd>& llt, const Eigen::MatrixXd& cross, double lambda) {
  const Eigen::MatrixXd half = llt.matrixL().solve(cross.transpose());
  return (1 + lambda - half.colwise().squaredNorm().transpose().array()).max(1e-12);
}

/// Fewer centres than rows: α = (K_mn K_nm + λK_mm + 1e-8 I)⁻¹ K_mn y, leave-one-out through the hat matrix.
Candidate FitCentres(const Eigen::MatrixXd& z, const Eigen::VectorXd& y, const Eigen::MatrixXd& centres) {
  Candidate best;
  const Eigen::Index m = centres.rows();
  for (double length : kLengths) {
    const Eigen::MatrixXd cross = Kernel(z, centres, length);  // [n, m]
    const Eigen::MatrixXd inner = Kernel(centres, centres, length);
    const Eigen::MatrixXd gram = cross.transpose() * cross;
    for (double lambda : kLambdas) {
      const Eigen::LDLT<Eigen::MatrixXd> ldlt(gram + lambda * inner + 1e-8 * Eigen::MatrixXd::Identity(m, m));
      const Eigen::LLT<Eigen::MatrixXd> llt(inner + lambda * Eigen::MatrixXd::Identity(m, m));
      if (ldlt.info() != Eigen::Success || llt.info() != Eigen::Success) continue;
      Candidate candidate{length, lambda, ldlt.solve(cross.transpose() * y), {}, 0, 0};
      const Eigen::VectorXd hat = cross.cwiseProduct(ldlt.solve(cross.transpose()).transpose()).rowwise().sum();
      candidate.loo = (y - cross * candidate.alpha).cwiseQuotient((1 - hat.array()).max(1e-3).matrix());
      if (!candidate.alpha.allFinite() || !candidate.loo.allFinite()) continue;
      candidate.s2 = candidate.loo.squaredNorm() / UnitVariance(llt, cross, lambda).sum();
      KeepBetter(std::move(candidate), &best);
    }
  }
  return best;
}

std::vector<std::vector<double>> ToRows(const Eigen::MatrixXd& matrix) {
  std::vector<std::vector<double>> rows(matrix.rows());
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) rows[i].push_back(matrix(i, j));
  }
  return rows;
}

}  // namespace

struct Residual::Solved {
  ResidualParams params;
  Eigen::MatrixXd centres;
  Eigen::VectorXd alpha;
  Eigen::LLT<Eigen::MatrixXd> llt;

  /// κ with the centres, as a row.
  Eigen::MatrixXd Cross(const ShapeVector& shape) const {
    const std::vector<double> z = Standardised(shape, params.z_mean, params.z_std);
    return Kernel(ToMatrix({z}), centres, params.length);
  }
};

Residual::Residual(ResidualParams params) {
  auto solved = std::make_unique<Solved>();
  solved->centres = ToMatrix(params.centres);
  solved->alpha =
      Eigen::Map<const Eigen::VectorXd>(params.alpha.data(), static_cast<Eigen::Index>(params.alpha.size()));
  const Eigen::Index m = solved->centres.rows();
  solved->llt.compute(Kernel(solved->centres, solved->centres, params.length) +
                      params.lambda * Eigen::MatrixXd::Identity(m, m));
  if (solved->llt.info() != Eigen::Success) {
    ThrowInput("the centres of the residual model give a singular matrix; fit the table again");
  }
  solved->params = std::move(params);
  solved_ = std::move(solved);
}

Residual::~Residual() = default;
Residual::Residual(Residual&&) noexcept = default;
Residual& Residual::operator=(Residual&&) noexcept = default;

double Residual::Mean(const ShapeVector& shape) const {
  if (solved_->alpha.size() == 0) return 0;
  const double g = (solved_->Cross(shape) * solved_->alpha)(0);
  return std::clamp(g, -solved_->params.clip, solved_->params.clip);
}

double Residual::Variance(const ShapeVector& shape) const {
  const ResidualParams& params = solved_->params;
  if (solved_->alpha.size() == 0) return params.s2 * (1 + params.lambda);
  return params.s2 * UnitVariance(solved_->llt, solved_->Cross(shape), params.lambda)(0);
}

void StandardiseShapes(const std::vector<ShapeVector>& shapes, std::vector<double>* mean, std::vector<double>* std) {
  const double n = static_cast<double>(shapes.size());
  mean->assign(kShapeSize, 0);
  std->assign(kShapeSize, 0);
  for (int j = 0; j < kShapeSize; ++j) {
    for (const auto& z : shapes) (*mean)[j] += z[j] / n;
    for (const auto& z : shapes) (*std)[j] += (z[j] - (*mean)[j]) * (z[j] - (*mean)[j]) / n;
    (*std)[j] = std::sqrt((*std)[j]);
    if ((*std)[j] < 1e-9) (*std)[j] = 1;
  }
}

std::vector<double> Standardised(const ShapeVector& shape, const std::vector<double>& mean,
                                 const std::vector<double>& std) {
  std::vector<double> z(kShapeSize);
  for (int j = 0; j < kShapeSize; ++j) z[j] = (shape[j] - mean[j]) / std[j];
  return z;
}

ResidualFit FitResidual(const std::vector<ShapeVector>& shapes, const std::vector<double>& y,
                        const ResidualOptions& options) {
  ResidualFit fit;
  StandardiseShapes(shapes, &fit.params.z_mean, &fit.params.z_std);
  std::vector<std::vector<double>> rows;
  for (const auto& shape : shapes) rows.push_back(Standardised(shape, fit.params.z_mean, fit.params.z_std));
  const Eigen::MatrixXd z = ToMatrix(rows);
  const Eigen::Map<const Eigen::VectorXd> target(y.data(), static_cast<Eigen::Index>(y.size()));
  const bool exact = static_cast<int>(rows.size()) <= options.exact_limit;
  const Eigen::MatrixXd centres = exact ? z : ToMatrix(KMeansCentres(rows, options.centres));
  const Candidate best = exact ? FitExact(z, target) : FitCentres(z, target, centres);
  if (best.alpha.size() == 0) ThrowInternal("no kernel length fits the residual of the latency model");
  fit.params.length = best.length;
  fit.params.lambda = best.lambda;
  fit.params.s2 = best.s2;
  fit.params.alpha.assign(best.alpha.begin(), best.alpha.end());
  fit.params.centres = ToRows(centres);
  fit.loo.assign(best.loo.begin(), best.loo.end());
  return fit;
}

}  // namespace nas
