// SPDX-License-Identifier: Apache-2.0
#include "nas/search/latency_constraint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr std::array<std::pair<LossForm, std::string_view>, 3> kForms{
    {{LossForm::kDual, "dual"}, {LossForm::kMulLog, "mul-log"}, {LossForm::kAddLinear, "add-linear"}}};

// Constants of the released command line (proxyless.md §7).
constexpr double kMulLogAlpha = 0.2;
constexpr double kMulLogBeta = 0.3;
constexpr double kAddLinearLambda = 0.1;

constexpr double kTravelOfLambda = 100;
constexpr double kProportional = 10;

}  // namespace

LossForm ParseLossForm(std::string_view word) {
  std::vector<std::string> words;
  for (const auto& [form, known] : kForms) {
    if (word == known) return form;
    words.emplace_back(known);
  }
  ThrowUsage(StrCat("loss \"", word, "\" is not known", DidYouMean(word, words)));
}

std::string_view ToString(LossForm form) {
  for (const auto& [value, word] : kForms) {
    if (value == form) return word;
  }
  ThrowInternal(StrCat("loss form number ", static_cast<int>(form), " has no name"));
}

std::optional<double> ReachableBudget(const CostTable& table, std::optional<double> budget) {
  if (!budget) return budget;
  const double least = table.MinCost();
  const double most = table.MaxCost();
  if (!(*budget >= least)) {
    throw Error(ErrorKind::kInfeasible,
                StrCat("no network of this space meets ", CostToString(table.unit, *budget), " on ", table.target,
                       ": it reaches ", CostToString(table.unit, least), " to ", CostToString(table.unit, most),
                       "; raise the budget or take a smaller space or resolution"));
  }
  return *budget >= most ? std::nullopt : budget;
}

LatencyConstraint::LatencyConstraint(CostTable table, std::optional<double> budget, LossForm form,
                                     std::int64_t arch_updates)
    : table_(std::move(table)),
      budget_(budget),
      form_(form),
      eta_(kTravelOfLambda / static_cast<double>(std::max<std::int64_t>(arch_updates, 1))),
      proportional_(kProportional) {
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
      return std::max(0.0, lambda_ + proportional_ * (expected / *budget_ - 1)) / *budget_;
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
  lambda_ = std::max(0.0, lambda_ + eta_ * (expected / *budget_ - 1));
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
