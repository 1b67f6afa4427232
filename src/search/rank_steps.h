// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "nas/core/json.h"
#include "nas/nn/path_tensor.h"
#include "nas/search/search_setup.h"
#include "nas/search/search_state.h"
#include "nas/train/gradient_exchange.h"
#include "nas/train/rank_agreement.h"
#include "nas/train/shard_group.h"
#include "nas/train/synced_statistics.h"

namespace nas {

/// What a search does differently where its steps are divided over shards and ranks (cluster.md §3): weight steps move
/// the gradients of the active path, rank 0 owns the alphas, and what ranks hold is compared now and then.
class RankSteps {
 public:
  /// Forward and backward of one piece on a path; adds to loss and number of right answers.
  using Learn = std::function<void(const Choice&, const MicroBatch&, double*, double*)>;

  RankSteps(const SearchSetup& setup, const SearchHooks& hooks, SearchState& state);

  ~RankSteps() { state_.group = nullptr; }

  const ShardGroup& group() const { return group_; }
  Communicator& ranks() const { return group_.ranks(); }
  bool root() const { return group_.root(); }

  /// What BN statistics of a batch of so many images go over; null: each rank's own.
  StatisticsExchange* Synced(std::int64_t images) { return synced_.For(images); }

  /// Loader settings of this rank's part of the batches.
  LoaderOptions Divided(LoaderOptions options) const;

  struct WeightSums {
    double loss = 0;
    double correct = 0;
    bool stop = false;  ///< some rank was asked to stop: all stop after this step
    std::vector<std::pair<std::string, at::Tensor>> parameters;  ///< whose gradients are the whole batch's now
  };
  /// One weight step up to the gradients, on one path or on one of each shard.
  WeightSums WeightStep(const std::vector<Choice>& choices, const Batch& batch, const Learn& learn, bool stop);
  /// BN statistics as before the step that a lost rank has broken off.
  void Undo() { exchange_.Undo(); }

  /// After an architecture step or pruning: rank 0's alphas on all ranks.
  void ShareAlphas(std::size_t target);
  /// Rank 0's word on all ranks.
  std::string Share(const std::string& text) { return BroadcastText(ranks(), text, 0); }
  /// Throws kVerification on all ranks when they are no replicas any more.
  void CheckAgreement();

  Json Account() const;

 private:
  const SearchSetup& setup_;
  SearchState& state_;
  ShardGroup group_;
  GradientExchange exchange_;
  RankAgreement agreement_;
  SyncedStatistics synced_;
};

}  // namespace nas
