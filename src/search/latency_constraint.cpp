// SPDX-License-Identifier: Apache-2.0
#include "nas/search/latency_constraint.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

// Constants of the released command line (proxyless.md §7).
constexpr double kMulLogAlpha = 0.2;
constexpr double kMulLogBeta = 0.3;
constexpr double kAddLinearLambda = 0.1;

// Dual ascent with a proportional term (PI control of E). With the integral alone E swings by half of T once p
// saturates; the proportional term takes E back before λ has moved. It is off inside a dead zone, where it would only
// couple all edges and let Adam, whose second moment decays in the quiet, kick them together; and an error counts for λ
// up to a bound, so that λ does not wind up while alphas are still on their way. Measured in the synthetic search of
// the tests.
constexpr double kTravelOfLambda = 200;  // η·U
constexpr double kProportional = 40;     // λ per unit of E/T − 1 outside the dead zone
constexpr double kDeadZone = 0.0075;     // of E/T − 1
constexpr double kLargestError = 0.2;    // of E/T − 1, as counted by λ

double BeyondDeadZone(double error) {
  return error > kDeadZone ? error - kDeadZone : error < -kDeadZone ? error + kDeadZone : 0;
}

}  // namespace

LatencyConstraint::LatencyConstraint(CostTable table, std::optional<double> budget, LossForm form,
                                     std::int64_t arch_updates)
    : table_(std::move(table)),
      budget_(budget),
      form_(form),
      eta_(kTravelOfLambda / static_cast<double>(std::max<std::int64_t>(arch_updates, 1))) {
  if (!budget_) return;
  if (!(*budget_ > 0)) ThrowUsage(StrCat("the budget ", *budget_, " of ", table_.target, " must be positive"));
  if (form_ == LossForm::kAddLinear) lambda_ = kAddLinearLambda;
  if (form_ == LossForm::kMulLog && std::min(*budget_, table_.MinCost()) <= 1) {
    ThrowUsage(StrCat("loss mul-log needs costs above 1, but ", table_.target, " asks for ",
                      CostToString(table_.unit, *budget_), " and reaches down to ",
                      CostToString(table_.unit, table_.MinCost()), "; use --loss dual"));
  }
}

double LatencyConstraint::Expected(const ArchParameters& alphas) const {
  return table_.Expected(alphas.Probabilities());
}

// Factor on dE/dα; the factor on the CE part goes to `ce_scale`.
double LatencyConstraint::Weight(double expected, double cross_entropy, double* ce_scale) const {
  *ce_scale = 1;
  switch (form_) {
    case LossForm::kAddLinear:
      return lambda_ / *budget_;
    case LossForm::kDual:
      return std::max(0.0, lambda_ + kProportional * BeyondDeadZone(expected / *budget_ - 1)) / *budget_;
    case LossForm::kMulLog: {
      const double log_budget = std::log(*budget_);
      const double ratio = std::log(expected) / log_budget;
      *ce_scale = kMulLogAlpha * std::pow(ratio, kMulLogBeta);
      return kMulLogAlpha * cross_entropy * kMulLogBeta * std::pow(ratio, kMulLogBeta - 1) / (expected * log_budget);
    }
  }
  ThrowInternal("unknown loss form");
}

void LatencyConstraint::AddGradient(const ArchParameters& alphas, const std::vector<EdgeSample>* sample,
                                    double cross_entropy, Matrix* gradient) const {
  if (!budget_) return;
  const Matrix p = alphas.Probabilities();
  double ce_scale = 1;
  const double weight = Weight(table_.Expected(p), cross_entropy, &ce_scale);
  const Matrix cost = table_.ExpectedGradient(p);
  const Matrix slope = sample == nullptr ? alphas.GateToAlpha(cost) : alphas.GateToAlphaOnPairs(cost, *sample);
  for (std::size_t e = 0; e < slope.size(); ++e) {
    for (std::size_t i = 0; i < slope[e].size(); ++i) {
      (*gradient)[e][i] = ce_scale * (*gradient)[e][i] + weight * slope[e][i];
    }
  }
}

void LatencyConstraint::Update(double expected) {
  if (!budget_ || form_ != LossForm::kDual) return;
  const double error = std::clamp(expected / *budget_ - 1, -kLargestError, kLargestError);
  lambda_ = std::max(0.0, lambda_ + eta_ * error);
}

Json LatencyConstraint::State() const { return Json{{"lambda", lambda_}}; }

void LatencyConstraint::LoadState(const Json& state) {
  try {
    lambda_ = state.at("lambda").get<double>();
  } catch (const std::exception& error) {
    ThrowInput(StrCat("the multiplier of ", table_.target, " in the checkpoint cannot be read: ", error.what()));
  }
}

}  // namespace nas
