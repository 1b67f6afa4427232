// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace nas {

/// Images [begin, end) of a batch.
struct ShardRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
};

/// Shards of a batch of `images` that get any: BN has no variance over a single image, so each has two or more, but for
/// a batch of one.
inline int FilledShards(std::int64_t images, int shards) {
  return static_cast<int>(std::clamp<std::int64_t>(images / 2, 1, shards));
}

/// Shard v is [⌊v·n/V⌋, ⌊(v+1)·n/V⌋) of the batch's n images, V the filled shards (cluster.md §3); the others are
/// empty.
inline ShardRange ShardOf(std::int64_t images, int shards, int shard) {
  const int filled = FilledShards(images, shards);
  if (shard >= filled) return {images, images};
  return {shard * images / filled, (shard + 1) * images / filled};
}

/// Shards [first, last) together.
inline ShardRange ShardsOf(std::int64_t images, int shards, int first, int last) {
  return {ShardOf(images, shards, first).begin, ShardOf(images, shards, last - 1).end};
}

}  // namespace nas
