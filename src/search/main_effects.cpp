// SPDX-License-Identifier: Apache-2.0
#include "nas/search/main_effects.h"

#include <cmath>
#include <cstddef>

#include "nas/core/error.h"
#include "nas/latency/ridge.h"

namespace nas {

double MainEffects::Predict(const Choice& choice) const {
  double accuracy = mean;
  for (std::size_t e = 0; e < choice.size(); ++e) accuracy += effect[e][choice[e]];
  return accuracy;
}

int LeastForMainEffects(int candidates) { return 2 * candidates; }

MainEffects FitMainEffects(const std::vector<Choice>& choices, const std::vector<double>& accuracy,
                           const std::vector<std::size_t>& ops) {
  if (choices.size() != accuracy.size() || choices.size() < 2) {
    ThrowInternal("main effects need two architectures and an accuracy for each");
  }
  std::vector<std::vector<double>> rows;
  for (const Choice& choice : choices) {
    std::vector<double>& row = rows.emplace_back();
    for (std::size_t e = 0; e < ops.size(); ++e) {
      for (std::size_t op = 0; op < ops[e]; ++op) row.push_back(choice[e] == static_cast<int>(op) ? 1 : 0);
    }
  }
  const RidgeFit fit = FitRidge(rows, accuracy);

  MainEffects out;
  out.architectures = static_cast<int>(choices.size());
  out.mean = fit.c;
  out.error = fit.loo_error;
  std::size_t column = 0;
  for (const std::size_t candidates : ops) {
    std::vector<double>& row = out.effect.emplace_back();
    double centre = 0;
    for (std::size_t op = 0; op < candidates; ++op, ++column) {
      row.push_back(fit.w[column] / fit.std[column]);
      centre += row.back() * fit.mean[column];
    }
    // Weights of indicators that were centred: the mean over the judged architectures is 0.
    for (std::size_t op = 0; op < candidates; ++op) {
      const bool seen = fit.mean[column - candidates + op] > 0;
      row[op] = seen ? row[op] - centre : 0;
    }
  }
  double variance = 0;
  for (const double value : accuracy)
    variance += (value - fit.c) * (value - fit.c) / static_cast<double>(accuracy.size());
  out.explained = variance > 0 ? 1 - fit.loo_error * fit.loo_error / variance : 0;
  const double per_candidate = static_cast<double>(choices.size() * ops.size()) / static_cast<double>(column);
  out.standard_error = out.error * std::sqrt(2 / per_candidate);
  return out;
}

}  // namespace nas
