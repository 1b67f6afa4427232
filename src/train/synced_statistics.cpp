// SPDX-License-Identifier: Apache-2.0
#include "nas/train/synced_statistics.h"

#include <ATen/ATen.h>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/data/shard.h"

namespace nas {

at::Tensor SyncedStatistics::Gather(const at::Tensor& mine) {
  at::Tensor all = at::empty({ranks_.Size(), mine.size(0)}, mine.options());
  ranks_.AllGather(mine, all);
  return all;
}

StatisticsExchange* SyncedStatistics::For(std::int64_t images) {
  return on_ && ranks_.Size() > 1 && FilledShards(images, ranks_.Size()) == ranks_.Size() ? this : nullptr;
}

void SyncedStatistics::Check(const RankOptions& options, int ranks) {
  if (!options.sync_bn || options.shards == ranks) return;
  ThrowInput(StrCat("--sync-bn needs one shard per rank, but there are ", ranks, " ranks and ", options.shards,
                    " shards; give --ranks ", options.shards, ", or leave --shards out of a new run"));
}

}  // namespace nas
