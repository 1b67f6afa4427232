// SPDX-License-Identifier: Apache-2.0
#include "nas/search/arch_parameters.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr double kInitialDeviation = 1e-3;
constexpr double kBeta2 = 0.999;
constexpr double kEpsilon = 1e-8;
constexpr std::uint64_t kInitSalt = 0x616c706861;
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

Matrix InitialAlphas(const SearchSpace& space, std::uint64_t seed) {
  CounterRng rng(MixSeed(seed, kInitSalt));
  Matrix alpha;
  for (const Edge& edge : space.edges()) {
    auto& row = alpha.emplace_back();
    for (int op = 0; op < edge.size(); ++op) row.push_back(kInitialDeviation * rng.Normal());
  }
  return alpha;
}

Matrix Zeros(const Matrix& like) {
  Matrix zeros = like;
  for (auto& row : zeros) std::fill(row.begin(), row.end(), 0.0);
  return zeros;
}

double LogAddExp(double a, double b) {
  const double high = std::max(a, b);
  return high + std::log1p(std::exp(std::min(a, b) - high));
}

bool SameShape(const Matrix& a, const Matrix& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.size() == y.size(); });
}

void RequireShape(const Matrix& alpha, const Matrix& gradient) {
  if (!SameShape(alpha, gradient)) ThrowInternal("a gradient does not have the shape of the alphas");
}

}  // namespace

ArchParameters::ArchParameters(const SearchSpace& space, std::uint64_t seed)
    : ArchParameters(InitialAlphas(space, seed)) {}

ArchParameters::ArchParameters(Matrix alpha) : alpha_(std::move(alpha)), second_moment_(Zeros(alpha_)) {
  for (const auto& row : alpha_) pruned_.emplace_back(row.size(), false);
}

Matrix ArchParameters::LogProbabilities() const {
  Matrix log_p = alpha_;
  for (std::size_t e = 0; e < alpha_.size(); ++e) {
    double high = kMinusInfinity;
    for (std::size_t i = 0; i < alpha_[e].size(); ++i) {
      if (!pruned_[e][i]) high = std::max(high, alpha_[e][i]);
    }
    double sum = 0;
    for (std::size_t i = 0; i < alpha_[e].size(); ++i) {
      if (!pruned_[e][i]) sum += std::exp(alpha_[e][i] - high);
    }
    const double log_sum = high + std::log(sum);
    for (std::size_t i = 0; i < alpha_[e].size(); ++i)
      log_p[e][i] = pruned_[e][i] ? kMinusInfinity : alpha_[e][i] - log_sum;
  }
  return log_p;
}

Matrix ArchParameters::Probabilities() const {
  Matrix p = LogProbabilities();
  for (std::size_t e = 0; e < p.size(); ++e) {
    for (std::size_t i = 0; i < p[e].size(); ++i) {
      // The floor keeps a candidate that is left distinguishable from one that is gone.
      p[e][i] = pruned_[e][i] ? 0 : std::max(std::exp(p[e][i]), std::numeric_limits<double>::min());
    }
  }
  return p;
}

double ArchParameters::Entropy() const {
  double entropy = 0;
  for (const auto& row : LogProbabilities()) {
    for (const double log_p : row) {
      if (log_p > kMinusInfinity) entropy -= std::exp(log_p) * log_p;
    }
  }
  return entropy;
}

Choice ArchParameters::Argmax() const {
  Choice choice(alpha_.size(), -1);
  for (std::size_t e = 0; e < alpha_.size(); ++e) {
    for (int i = 0; i < static_cast<int>(alpha_[e].size()); ++i) {
      if (pruned_[e][i]) continue;
      if (choice[e] < 0 || alpha_[e][i] > alpha_[e][choice[e]]) choice[e] = i;
    }
  }
  return choice;
}

Matrix ArchParameters::GateToAlpha(const Matrix& gate_gradients) const {
  RequireShape(alpha_, gate_gradients);
  const Matrix p = Probabilities();
  Matrix gradient = Zeros(alpha_);
  for (std::size_t e = 0; e < p.size(); ++e) {
    double mean = 0;
    for (std::size_t i = 0; i < p[e].size(); ++i) mean += p[e][i] * gate_gradients[e][i];
    for (std::size_t i = 0; i < p[e].size(); ++i) gradient[e][i] = p[e][i] * (gate_gradients[e][i] - mean);
  }
  return gradient;
}

Matrix ArchParameters::GateToAlphaOnPairs(const Matrix& gate_gradients, const std::vector<EdgeSample>& sample) const {
  RequireShape(alpha_, gate_gradients);
  Matrix gradient = Zeros(alpha_);
  for (std::size_t e = 0; e < sample.size(); ++e) {
    const auto [active, inactive] = sample[e];
    if (inactive < 0) continue;
    const double q = 1 / (1 + std::exp(alpha_[e][inactive] - alpha_[e][active]));
    // q_i·(G_i − Σ q_j·G_j) of two ops: the same number with opposite signs.
    const double slope = q * (1 - q) * (gate_gradients[e][active] - gate_gradients[e][inactive]);
    gradient[e][active] = slope;
    gradient[e][inactive] = -slope;
  }
  return gradient;
}

void ArchParameters::AdamStep(const Matrix& gradient, double lr) {
  RequireShape(alpha_, gradient);
  for (std::size_t e = 0; e < alpha_.size(); ++e) {
    for (std::size_t i = 0; i < alpha_[e].size(); ++i) {
      if (pruned_[e][i] || std::isfinite(gradient[e][i])) continue;
      throw Error(ErrorKind::kTraining, StrCat("diverged at architecture update ", adam_steps_ + 1,
                                               ": the gradient of op ", i, " on edge ", e, " is ", gradient[e][i]));
    }
  }
  ++adam_steps_;
  const double correction = std::sqrt(1 - std::pow(kBeta2, static_cast<double>(adam_steps_)));
  for (std::size_t e = 0; e < alpha_.size(); ++e) {
    for (std::size_t i = 0; i < alpha_[e].size(); ++i) {
      if (pruned_[e][i]) continue;
      const double g = gradient[e][i];
      double& v = second_moment_[e][i];
      v = kBeta2 * v + (1 - kBeta2) * g * g;
      alpha_[e][i] -= lr * g / (std::sqrt(v) / correction + kEpsilon);
    }
  }
}

void ArchParameters::AdamStepOnPairs(const Matrix& gradient, const std::vector<EdgeSample>& sample, double lr) {
  const Matrix old = alpha_;
  AdamStep(gradient, lr);
  for (std::size_t e = 0; e < sample.size(); ++e) {
    const auto [active, inactive] = sample[e];
    if (inactive < 0) continue;
    const double gained =
        LogAddExp(alpha_[e][active], alpha_[e][inactive]) - LogAddExp(old[e][active], old[e][inactive]);
    alpha_[e][active] -= gained;
    alpha_[e][inactive] -= gained;
  }
}

void ArchParameters::Add(const Matrix& nats) {
  for (std::size_t e = 0; e < alpha_.size(); ++e) {
    for (std::size_t op = 0; op < alpha_[e].size(); ++op) {
      if (!pruned_[e][op]) alpha_[e][op] += nats[e][op];
    }
  }
}

void ArchParameters::Prune(int edge, int op) {
  if (pruned_[edge][op]) return;
  if (left(edge) == 1) ThrowInternal(StrCat("the last candidate of edge ", edge, " cannot be pruned"));
  pruned_[edge][op] = true;
  second_moment_[edge][op] = 0;
}

int ArchParameters::left(int edge) const {
  return static_cast<int>(std::count(pruned_[edge].begin(), pruned_[edge].end(), false));
}

Json ArchParameters::State() const {
  Json pruned = Json::array();
  for (std::size_t e = 0; e < pruned_.size(); ++e) {
    for (std::size_t i = 0; i < pruned_[e].size(); ++i) {
      if (pruned_[e][i]) pruned.push_back(Json::array({e, i}));
    }
  }
  return Json{{"alpha", alpha_}, {"second_moment", second_moment_}, {"pruned", pruned}, {"adam_steps", adam_steps_}};
}

void ArchParameters::LoadState(const Json& state) {
  try {
    ArchParameters loaded(state.at("alpha").get<Matrix>());
    if (!SameShape(loaded.alpha_, alpha_)) ThrowInput("the alphas in the checkpoint belong to another search space");
    loaded.second_moment_ = state.at("second_moment").get<Matrix>();
    if (!SameShape(loaded.second_moment_, alpha_))
      ThrowInput("the Adam state in the checkpoint has another shape than its alphas");
    for (const auto& item : state.at("pruned")) loaded.pruned_.at(item.at(0).get<std::size_t>()).at(item.at(1)) = true;
    loaded.adam_steps_ = state.at("adam_steps").get<std::int64_t>();
    *this = std::move(loaded);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    ThrowInput(StrCat("the alphas in the checkpoint cannot be read: ", error.what()));
  }
}

}  // namespace nas
