// SPDX-License-Identifier: Apache-2.0
#include "calibration.h"
#include "eval_item.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "nnls.h"

namespace nas {
namespace {

constexpr int kAffineNets = 5;
constexpr int kLaunchNets = 10;
constexpr int kConformalNets = 20;
constexpr double kDefaultSigma = 0.10;
constexpr double kExactError = 0.02;  // what a sum of blocks misses anyway

/// (x^p + y^p)^(1/p) without overflow.
double PowerSum(double x, double y, double p) {
  const double high = std::max(x, y);
  return high <= 0 ? 0 : high * std::pow(1 + std::pow(std::min(x, y) / high, p), 1 / p);
}

std::vector<NetSample> Without(const std::vector<NetSample>& nets, size_t left_out) {
  std::vector<NetSample> rest = nets;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(left_out));
  return rest;
}

double RelativeSquares(const Calibration& c, const std::vector<NetSample>& nets) {
  double sum = 0;
  for (const auto& net : nets) {
    const double error = CalibratedTotal(c, net.sum, net.launches) / net.ms - 1;
    sum += net.weight * error * error;
  }
  return sum;
}

Calibration FitScale(const std::vector<NetSample>& nets) {
  Calibration c;
  c.form = "scale";
  c.nets = static_cast<int>(nets.size());
  NormalEquations equations(1);
  for (const auto& net : nets) equations.Add(std::vector<double>{net.sum / net.ms}, 1, net.weight);
  c.a = equations.SolveNonNegative()[0];
  return c;
}

/// One damped Gauss–Newton step on (a, c0, c1), kept non-negative.
Calibration Step(const Calibration& c, const std::vector<NetSample>& nets, double damping) {
  Eigen::Matrix3d gram = Eigen::Matrix3d::Zero();
  Eigen::Vector3d moment = Eigen::Vector3d::Zero();
  for (const auto& net : nets) {
    const double bound = c.c0 + c.c1 * net.launches;
    const double total = std::max(PowerSum(c.a * net.sum, bound, c.p), 1e-300);
    const double by_bound = std::pow(bound / total, c.p - 1) / net.ms;
    const Eigen::Vector3d row(net.sum * std::pow(c.a * net.sum / total, c.p - 1) / net.ms, by_bound,
                              by_bound * net.launches);
    gram += net.weight * row * row.transpose();
    moment += net.weight * row * (1 - total / net.ms);
  }
  gram.diagonal() *= 1 + damping;
  gram.diagonal().array() += 1e-12 * std::max(gram.trace(), 1e-300);
  const Eigen::Vector3d step = gram.ldlt().solve(moment);
  Calibration next = c;
  next.a = std::max(c.a + step(0), 1e-6 * c.a);
  next.c0 = std::max(c.c0 + step(1), 0.0);
  next.c1 = std::max(c.c1 + step(2), 0.0);
  return next;
}

Calibration Minimise(Calibration c, const std::vector<NetSample>& nets) {
  double error = RelativeSquares(c, nets);
  double damping = 1e-3;
  for (int i = 0; i < 100 && damping < 1e8; ++i) {
    const Calibration next = Step(c, nets, damping);
    const double next_error = RelativeSquares(next, nets);
    if (next_error < error) {
      const bool done = error - next_error < 1e-12 * error;
      c = next;
      error = next_error;
      damping = std::max(damping / 10, 1e-9);
      if (done) break;
    } else {
      damping *= 10;
    }
  }
  return c;
}

/// T of each network by the form fitted without it.
template <typename Fit>
std::vector<double> LeaveOneOut(const std::vector<NetSample>& nets, const Fit& fit) {
  std::vector<double> total;
  for (size_t i = 0; i < nets.size(); ++i) {
    total.push_back(CalibratedTotal(fit(Without(nets, i)), nets[i].sum, nets[i].launches));
  }
  return total;
}

double RelativeRms(const std::vector<NetSample>& nets, const std::vector<double>& total) {
  double sum = 0, weights = 0;
  for (size_t i = 0; i < nets.size(); ++i) {
    sum += nets[i].weight * std::pow(total[i] / nets[i].ms - 1, 2);
    weights += nets[i].weight;
  }
  return std::sqrt(sum / weights);
}

}  // namespace

double WeightOfNoise(double relative_error) {
  return kExactError * kExactError / (kExactError * kExactError + relative_error * relative_error);
}

double CalibratedTotal(const Calibration& c, double sum, double launches) {
  return c.form == "launch_bound" ? PowerSum(c.a * sum, c.c0 + c.c1 * launches, c.p) : c.a * sum + c.b;
}

double CalibratedSlope(const Calibration& c, double sum, double launches) {
  if (c.form != "launch_bound") return c.a;
  const double total = CalibratedTotal(c, sum, launches);
  return total > 0 ? c.a * std::pow(c.a * sum / total, c.p - 1) : c.a;
}

double CalibratedSigma(const Calibration& c, double sum, double launches, double variance) {
  const double slope = CalibratedSlope(c, sum, launches);
  // Where launches decide, a·S says nothing about the size of the error: the whole T carries it.
  const double carrier = c.form == "launch_bound" ? CalibratedTotal(c, sum, launches) : c.a * sum;
  return std::sqrt(slope * slope * variance + std::pow(carrier * c.sigma_cal, 2));
}

Calibration FitAffine(const std::vector<NetSample>& nets) {
  if (nets.empty()) return Calibration{};
  if (static_cast<int>(nets.size()) < kAffineNets) return FitScale(nets);
  NormalEquations equations(2);
  for (const auto& net : nets) equations.Add(std::vector<double>{net.sum / net.ms, 1 / net.ms}, 1, net.weight);
  const std::vector<double> ab = equations.SolveNonNegative();
  // Times that do not grow with S at all would give a = 0: keep the scale, which orders networks.
  if (!(ab[0] > 0)) return FitScale(nets);
  Calibration c;
  c.form = "affine";
  c.nets = static_cast<int>(nets.size());
  c.a = ab[0];
  c.b = ab[1];
  return c;
}

Calibration FitLaunchBound(const std::vector<NetSample>& nets, const Calibration* start) {
  if (start != nullptr) return Minimise(*start, nets);
  NormalEquations equations(2);
  for (const auto& net : nets) {
    equations.Add(std::vector<double>{1 / net.ms, net.launches / net.ms}, 1, net.weight);
  }
  const std::vector<double> bound = equations.SolveNonNegative();
  const double scale = FitScale(nets).a;
  Calibration best;
  double least = 0;
  for (double share : {0.3, 1.0}) {
    Calibration c;
    c.form = "launch_bound";
    c.nets = static_cast<int>(nets.size());
    c.a = scale * share;
    c.c0 = bound[0];
    c.c1 = bound[1];
    c = Minimise(c, nets);
    const double error = RelativeSquares(c, nets);
    if (best.form != "launch_bound" || error < least) {
      best = c;
      least = error;
    }
  }
  return best;
}

void SetCalibrationError(const std::vector<NetSample>& nets, const std::vector<double>& loo_total,
                         Calibration* calibration) {
  calibration->sigma_cal = nets.size() < 2 ? kDefaultSigma : RelativeRms(nets, loo_total);
  calibration->q = kNormalQuantile;
  if (static_cast<int>(nets.size()) < kConformalNets) return;
  std::vector<double> scores;
  for (size_t i = 0; i < nets.size(); ++i) {
    const double sigma = CalibratedSigma(*calibration, nets[i].sum, nets[i].launches, nets[i].variance);
    if (sigma > 0) scores.push_back(std::abs(loo_total[i] - nets[i].ms) / sigma);
  }
  if (scores.empty()) return;
  std::sort(scores.begin(), scores.end());
  const auto rank = static_cast<size_t>(std::ceil(0.95 * (static_cast<double>(scores.size()) + 1)));
  const double q = scores[std::min(rank, scores.size()) - 1];
  if (q > 0) calibration->q = q;
}

Calibration FitCalibration(const std::vector<NetSample>& nets, bool launch_form) {
  Calibration best = FitAffine(nets);
  if (nets.empty()) return best;
  std::vector<double> loo = nets.size() < 2 ? std::vector<double>{} : LeaveOneOut(nets, FitAffine);
  if (launch_form && static_cast<int>(nets.size()) >= kLaunchNets) {
    const Calibration bound = FitLaunchBound(nets, nullptr);
    const auto refit = [&](const std::vector<NetSample>& rest) { return FitLaunchBound(rest, &bound); };
    const std::vector<double> bound_loo = LeaveOneOut(nets, refit);
    if (RelativeRms(nets, bound_loo) <= 0.95 * RelativeRms(nets, loo)) {
      best = bound;
      loo = bound_loo;
    }
  }
  SetCalibrationError(nets, loo, &best);
  return best;
}

}  // namespace nas
