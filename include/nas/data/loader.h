// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include <ATen/core/Tensor.h>

#include "nas/data/dataset.h"

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
  bool shuffle = false;
  bool drop_last = false;
  std::uint64_t seed = 0;     ///< order and augmentation are pure functions of (seed, epoch, index)
  int threads = 1;            ///< decoding threads; 0 = in the caller's thread
  int prefetch = 4;           ///< batches ready ahead
};

/// images [N, 3, R, R] float32, channels_last, normalised; labels [N] int64; both on the CPU.
struct Batch {
  at::Tensor images;
  at::Tensor labels;
};

/// Batches of a data set, decoded and augmented in the background, in a fixed order: the same for any thread count.
class Loader {
 public:
  Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::int64_t batches_per_epoch() const;
  std::int64_t images_per_epoch() const;
  /// Positions before batch `batch` of epoch `epoch`; costs no decoding. A new loader stands at (0, 0).
  void Seek(std::int64_t epoch, std::int64_t batch);
  /// Next batch of this epoch; false at its end (then `Seek` to go on).
  bool Next(Batch* out);
  /// Seconds that `Next` has waited for decoding since construction.
  double wait_seconds() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nas
