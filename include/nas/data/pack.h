// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "nas/core/stop_flag.h"

namespace nas {

/// What `nas data pack` does.
struct PackOptions {
  std::string source;                                ///< folder of class folders
  std::string out;                                   ///< folder to make; must not lie in the source
  std::int64_t shard_bytes = std::int64_t{1} << 30;  ///< a shard is closed once it has as many, ≥ 1
  bool force = false;                                ///< replace another pack
  int threads = 1;                                   ///< reading the source
  const StopFlag* stop = nullptr;                    ///< asked between files
  std::function<void(std::int64_t done, std::int64_t total)> progress;  ///< images; may be empty

  /// Throws kUsage naming field and value.
  void Validate() const;
};

struct PackResult {
  std::int64_t images = 0;    ///< records, unusable ones among them
  std::int64_t unusable = 0;  ///< kept by name only, so that the pack counts as its folder does
  std::int64_t shards = 0;
  std::int64_t bytes = 0;    ///< in the shards
  std::int64_t resumed = 0;  ///< images that an earlier call had packed; all of them where there was nothing to do
  std::string listing_hash;
};

/// Packs a folder of class folders into `out`: shards of image files back to back in the order of the listing, and one
/// index with place, checksum and header facts of each. `OpenData` makes of the pack what it makes of the folder.
/// Shards and index appear whole or not at all; a call that was interrupted goes on behind the last whole shard when
/// run again. The same folder gives the same bytes. Throws kInput (source no use, `out` holds something else, disk
/// full), kCheckpointed on `stop`.
PackResult PackData(const PackOptions& options);

}  // namespace nas
