// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nas/dist/communicator.h"
#include "nas/train/micro_batch.h"

namespace nas {

/// How a run is divided (cluster.md §3). Shards belong to what is computed, ranks to where.
struct ShardOptions {
  int shards = 1;                       ///< V: slices of a batch with their own BN statistics
  bool tree = false;                    ///< sums as a binary tree over shards: the same bits for any R
  std::int64_t bucket_bytes = 1 << 20;  ///< least size of a message of gradients
  /// Throws kUsage when R does not divide V, or `tree` is asked with numbers that are no powers of two.
  void Validate(int ranks) const;
};

/// The ranks of a run and the shards that each of them works on.
class ShardGroup {
 public:
  /// `ranks` has to outlive the group.
  ShardGroup(Communicator& ranks, const ShardOptions& options);

  Communicator& ranks() const { return ranks_; }
  const ShardOptions& options() const { return options_; }
  bool root() const { return ranks_.Rank() == 0; }
  /// Own shards [first, last).
  int first() const { return ranks_.Rank() * own(); }
  int last() const { return first() + own(); }
  int own() const { return options_.shards / ranks_.Size(); }

  /// A rank's part of a batch (`Batch::whole` says of how many images) as one piece per own shard; each weighs as much
  /// as its share of the whole. A shard without images has a share of 0.
  std::vector<MicroBatch> Pieces(const Batch& batch) const;

  /// Elementwise sum over all shards of one vector each, given those of the own shards: equal bits on all ranks.
  std::vector<double> Sum(const std::vector<std::vector<double>>& own) const;
  /// The sum of tensors [n] over all shards in the order of `tree`.
  at::Tensor TreeSum(std::vector<at::Tensor> own) const;

 private:
  Communicator& ranks_;
  ShardOptions options_;
};

}  // namespace nas
