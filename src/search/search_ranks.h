// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "nas/dist/communicator.h"
#include "nas/search/search_setup.h"
#include "nas/search/search_state.h"

namespace nas {

/// V of a new run: one shard per rank. A run that goes on keeps its own.
int ShardsOfRun(const SearchOptions& options, int ranks);

/// All ranks mean the same run, with programs and processors that give the same bits; throws what differs, by name.
void AgreeOnRun(const SearchSetup& setup, const SearchHooks& hooks);

/// A target as rank 0 resolves it (it may measure the machine meanwhile); the others get what the steps need of it.
SearchTarget ShareTarget(Communicator* ranks, std::size_t index, const std::function<SearchTarget()>& resolve);

/// Alphas, Adam state, masks, λ and reward baseline of one target, and its probabilities: those of rank 0, since `exp`
/// may differ in the last bit between processors.
Matrix ShareTargetState(Communicator& ranks, TargetState* target);

/// What rank 0 prunes, on all ranks.
std::vector<PrunedOp> SharePruned(Communicator& ranks, const std::vector<PrunedOp>& pruned);

}  // namespace nas
