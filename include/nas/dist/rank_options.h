// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "nas/core/json.h"

namespace nas {

/// How a run is spread over processes (cluster.md). What decides its bits (shards, reduce, path_per_rank, sync_bn)
/// belongs to its configuration; the rest says where and how it is computed.
struct RankOptions {
  int ranks = 0;                        ///< processes of this machine; 0 = as the launcher says, else 1
  int shards = 0;                       ///< slices of a batch with their own BN statistics; 0 = one per rank
  std::string reduce = "ring";          ///< ring | tree: order of sums
  std::int64_t bucket_bytes = 1 << 20;  ///< least size of a message of gradients, ≥ 1 MiB
  bool path_per_rank = false;           ///< each shard trains a path of its own in weight steps
  bool sync_bn = false;                 ///< BN statistics over all ranks' images; one shard per rank
  double dead_after_s = 20;             ///< a rank without a new heartbeat for so long is lost
  double stall_s = 600;                 ///< one that stands at the same step, likewise; deadline of a collective
  std::string interface_address;        ///< own address; "" = that of the route to rank 0

  /// Throws kUsage naming flag, value and what is legal.
  void Validate() const;
  /// Whether steps are divided at all.
  bool divided(int size) const { return size > 1 || shards > 1; }
  /// Adds to a configuration what decides the bits, where it is not that of a single process.
  void AddTo(Json* config) const;
};

/// Inverse of `AddTo`; takes the keys away from nothing: absent ones are those of a single process.
RankOptions RankOptionsFrom(const Json& config);

}  // namespace nas
