// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "nas/core/run_folder.h"
#include "nas/data/loader.h"
#include "nas/search/search_setup.h"
#include "nas/search/search_state.h"
#include "rank_steps.h"

namespace nas {

/// What the end of an epoch of search does to the architecture: each target's present network is validated, collapse is
/// looked for, improbable candidates go. All of it is written to the run folder.
class EpochReview {
 public:
  /// `ranks`: null where one process does whole steps.
  EpochReview(const SearchSetup& setup, const SearchHooks& hooks, RunFolder& folder, SearchState& state,
              RankSteps* ranks);

  /// Accuracy of each target's present network on the carve-out, by batch statistics (N2).
  void Validate(int epoch);
  /// Collapse of any target (N11), told by rank 0: the first one, if any.
  std::optional<std::string> Alarm(int epoch);
  /// Candidates that have become improbable for all targets (N8).
  void Prune(int epoch);

 private:
  bool decides() const { return ranks_ == nullptr || ranks_->root(); }
  /// Share of the run's architecture updates done, t of N8 and N11.
  double done() const;

  const SearchSetup& setup_;
  const SearchHooks& hooks_;
  RunFolder& folder_;
  SearchState& state_;
  RankSteps* const ranks_;
  Loader validation_;
};

}  // namespace nas
