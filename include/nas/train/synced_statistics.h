// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nas/dist/communicator.h"
#include "nas/dist/rank_options.h"
#include "nas/nn/sync_batch_norm.h"

namespace nas {

/// `--sync-bn`: BN statistics over the images of all ranks (cluster.md §3).
class SyncedStatistics : public StatisticsExchange {
 public:
  /// `on` false: `For` never gives one. `ranks` has to outlive the object.
  SyncedStatistics(Communicator& ranks, bool on) : ranks_(ranks), on_(on) {}

  at::Tensor Gather(const at::Tensor& mine) override;

  /// The exchange for a batch of so many images over all ranks. Null where BN keeps to each rank's own: not asked for,
  /// a single rank, or a last batch so small that a rank has no part of it; the others would wait for it in vain.
  StatisticsExchange* For(std::int64_t images);

  /// Throws kInput where the run's shards (resolved, ≥ 1) are not one per rank.
  static void Check(const RankOptions& options, int ranks);

 private:
  Communicator& ranks_;
  bool on_;
};

}  // namespace nas
