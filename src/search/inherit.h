// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "nas/search/search_options.h"
#include "nas/search/search_setup.h"
#include "nas/search/search_state.h"
#include "nas/search/strategy.h"
#include "source_run.h"

namespace nas {

/// `search --from RUN`: new targets from a finished supernet, without training. Space, data and recipe are the run's;
/// targets and places are asked anew. Throws kUsage when a flag contradicts the run.
SearchOptions InheritOptions(const SearchOptions& asked, const SourceRun& source);

/// Fills `state` with the run's weights, and each target's alphas with those of the run's nearest target: the same
/// name before others, then the nearest place of the budget within the range. Throws kInput when the run is not
/// finished, kInfeasible when pruning has left no network that meets a target. Returns how networks are chosen: by
/// the alphas (SelectUsingBudget where a budget had shaped them), else by evolution over inherited accuracy.
std::unique_ptr<Strategy> InheritSupernet(const SourceRun& source, const SearchSetup& setup, SearchState* state);

}  // namespace nas
