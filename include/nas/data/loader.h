// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include <ATen/core/Tensor.h>

#include "nas/data/dataset.h"
#include "nas/data/loader_options.h"

namespace nas {

/// images [N, 3, R, R] float32, channels_last, normalised; labels [N] int64; both on the CPU.
/// The memory of a batch is used again once nothing refers to its tensors any more.
struct Batch {
  at::Tensor images;
  at::Tensor labels;
  std::int64_t whole = 0;  ///< images of the whole batch, where these are a rank's shards of it
};

/// Batches of a data set, decoded and augmented in the background, in a fixed order: the same for any thread count.
/// One thread at a time calls its functions.
class Loader {
 public:
  /// Throws kUsage on options out of range, kInput on an empty data set.
  Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::int64_t batches_per_epoch() const;
  std::int64_t images_per_epoch() const;
  /// Positions before batch `batch` of epoch `epoch`; costs no decoding. A new loader stands at (0, 0).
  void Seek(std::int64_t epoch, std::int64_t batch);
  /// Next batch of this epoch; false at its end (then `Seek` to go on). Rethrows what went wrong while the batch was
  /// made (kInput naming the file) and stays before it.
  bool Next(Batch* out);
  /// Seconds that `Next` has waited for decoding since construction.
  double wait_seconds() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nas
