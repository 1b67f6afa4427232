// SPDX-License-Identifier: Apache-2.0
#include "nas/search/strategy.h"

#include "nas/core/error.h"

namespace nas {
namespace {

constexpr double kLeastShare = 0.9;  // of a budget: below, latency is left unused and so accuracy lost

}  // namespace

double Strategy::ArchStep(SearchState&, const SearchTarget&, TargetState&, const Batch&, std::int64_t) const {
  ThrowInternal("this strategy has no architecture step");
}

std::optional<Selection> Strategy::Select(const SearchState& /*state*/, const SearchTarget& target,
                                          const TargetState& target_state, std::optional<double> budget,
                                          InheritedAccuracy& /*accuracy*/) const {
  const Matrix log_p = target_state.alphas.LogProbabilities();
  if (!budget) return SelectArgmax(log_p, target.table);
  return target_state.pressed ? SelectUsingBudget(log_p, target.table, *budget, kLeastShare)
                              : SelectMostProbable(log_p, target.table, *budget);
}

}  // namespace nas
