// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "nas/search/inherited_accuracy.h"
#include "nas/search/main_effects.h"
#include "nas/search/search_setup.h"
#include "nas/search/search_state.h"

namespace nas {

/// The last architecture update of a run whose alphas were learned by gradients. Those follow one batch and one path at
/// a time; here whole networks, drawn around the probabilities of all targets, are judged with the finished weights on
/// carve-out images, and every target's log p_e(o) rises by what they say of candidate o on edge e: its main effect on
/// accuracy in units of the effect's standard error. So the selection (N7) follows the evidence where there is some and
/// the learned probabilities where there is none.
class ClosingEvidence {
 public:
  ClosingEvidence(const SearchSetup& setup, SearchState& state) : setup_(setup), state_(state) {}

  /// Networks to be judged on `images` images each: as many as 5 % of the run's work pays for, within bounds.
  int networks(std::int64_t images) const;
  /// Judges, and moves the alphas. nullopt, and no change, where there are too few networks left to tell candidates
  /// apart or their accuracies follow no candidate: too little training.
  std::optional<MainEffects> Weigh(InheritedAccuracy& accuracy);

 private:
  std::vector<Choice> Networks(int count) const;

  const SearchSetup& setup_;
  SearchState& state_;
};

}  // namespace nas
