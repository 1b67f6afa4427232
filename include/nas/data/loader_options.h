// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nas {

enum class Augmentation {
  kEval,    ///< resize, centre crop, normalise
  kTrain,   ///< random crop, flip, colour jitter "normal", normalise
  kStrong,  ///< kTrain with the stronger jitter of retraining
};

struct LoaderOptions {
  int batch = 128;
  int resolution = 32;        ///< side of the network's input, pixels
  bool small_images = false;  ///< pad-and-crop augmentation (4 pixels at 32) instead of RandomResizedCrop
  Augmentation augmentation = Augmentation::kEval;
  bool color_jitter = true;  ///< off: kTrain and kStrong crop and flip only
  bool shuffle = false;
  bool drop_last = false;
  std::uint64_t seed = 0;  ///< order and augmentation are pure functions of (seed, epoch, index)
  int threads = 1;         ///< decoding threads; 0 = in the caller's thread
  int prefetch = 4;        ///< batches ready ahead
  /// Several ranks (cluster.md §3): each batch is cut into `shards`, and of each this loader makes [first_shard,
  /// last_shard) only. Order and augmentation do not depend on it.
  int shards = 1;
  int first_shard = 0;
  int last_shard = 1;
  std::int64_t stride = 1;  ///< `Next` goes on by so many batches: whole batches shared among ranks

  /// Throws kUsage naming field and value.
  void Validate() const;
};

}  // namespace nas
