// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "nas/nn/path_tensor.h"
#include "nas/space/search_space.h"
#include "nas/train/shard_group.h"

namespace nas {

/// What weight steps have moved, summed over steps; bytes as one rank hands them over.
struct ExchangeStats {
  std::int64_t steps = 0;
  std::int64_t gradient_bytes = 0;  ///< 4 × active parameters each step
  std::int64_t bn_bytes = 0;        ///< 8 × BN channels of the path
  std::int64_t control_bytes = 0;
  double seconds = 0;     ///< from the first message of a step to its last sum
  double unhidden_s = 0;  ///< of these, spent waiting after backward
};

/// The gradients of one weight step, summed over shards and ranks (cluster.md §3): the tensors of the path alone, in
/// reverse order of execution, in buckets that start as soon as backward has filled them. The shards' mean BN
/// statistics and the control numbers ride in the last bucket.
///
///   Begin · for each own shard: StartShard, forward and backward, EndShard · Finish · optimizer
class GradientExchange {
 public:
  explicit GradientExchange(const ShardGroup& group);
  ~GradientExchange();

  /// `path`: in order of execution, all that any shard uses. `choices`: the path of each shard, where they differ
  /// (path per rank): each tensor then gets the mean over the shards that used it; empty = the same for all. `images`
  /// of the whole batch.
  void Begin(const std::vector<PathTensor>& path, std::int64_t images, const std::vector<Choice>& choices = {});
  /// Puts BN statistics back to where the step began.
  void StartShard(int shard);
  /// `control`: numbers to be summed over all shards; always as many.
  void EndShard(int shard, std::span<const double> control);
  /// Sums everything: gradients are those of the whole batch then, BN statistics the shards' mean. Returns the sums of
  /// the control numbers.
  std::vector<double> Finish();
  /// Gives the step up: BN statistics as before it, no gradients. Nothing to do outside a step.
  void Undo();

  const ExchangeStats& stats() const { return stats_; }

 private:
  struct Step;
  void StartReadyBuckets();

  const ShardGroup& group_;
  std::unique_ptr<Step> step_;
  ExchangeStats stats_;
};

}  // namespace nas
