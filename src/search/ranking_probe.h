// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "nas/search/inherited_accuracy.h"
#include "nas/search/ranking_confidence.h"
#include "nas/search/search_setup.h"
#include "nas/search/search_state.h"

namespace nas {

/// How far the ranking of the run's supernet can be trusted, from random architectures and carve-out images of the run
/// itself.
class RankingProbe {
 public:
  explicit RankingProbe(const SearchSetup& setup) : setup_(setup) {}

  /// Carve-out images that each architecture is judged on: as many as there are up to 1,000, fewer (down to 250) where
  /// that would cost more than 5 % of the run.
  std::int64_t images() const;
  /// The epoch after which a first look is taken, three quarters into the run; nullopt where a second look would cost
  /// more than 1 % of the run.
  std::optional<int> early_epoch() const;
  /// What both looks cost, in training images.
  double work() const;
  /// Accuracy on carve-out images in at least four batches. `only_ranked`: no more of them than `images()`.
  InheritedAccuracy Accuracy(SearchState& state, bool only_ranked) const;
  /// Judges random architectures now and keeps the figures in `state.earlier_accuracy`.
  void LookEarly(SearchState& state, InheritedAccuracy& accuracy) const;
  /// The verdict at the end of the search; nullopt when pruning has left too few architectures to rank.
  std::optional<RankingConfidence> Judge(SearchState& state, InheritedAccuracy& accuracy) const;

 private:
  std::vector<Choice> RandomArchitectures(const SearchState& state) const;

  const SearchSetup& setup_;
};

}  // namespace nas
