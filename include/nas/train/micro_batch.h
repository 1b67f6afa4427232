// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <vector>

#include "nas/data/loader.h"

namespace nas {

/// One piece of a batch that does not fit into memory as a whole.
struct MicroBatch {
  Batch batch;       ///< views into the whole one
  double share = 1;  ///< of the whole batch's images: the weight of the piece's mean loss
};

/// Cuts a batch into pieces of at most `images` images, in order; 0 = leave it whole.
std::vector<MicroBatch> CutBatch(const Batch& batch, std::int64_t images);

/// Whether an exception says that an allocator, LibTorch's or the C++ one, found no memory.
bool IsOutOfMemory(const std::exception& error);

/// Runs `step(images per piece)` and, as long as memory runs out, halves the pieces (`*micro`; 0 = the whole batch),
/// drops what was begun through `undo`, and runs it again: the effective batch stays. `*micro` keeps its value for the
/// steps that follow. `on_halved` hears of each new size. Throws kUnavailable when one image does not fit; other
/// exceptions pass through.
void RunWithinMemory(std::int64_t batch_images, std::int64_t* micro, const std::function<void(std::int64_t)>& step,
                     const std::function<void()>& undo, const std::function<void(std::int64_t)>& on_halved);

}  // namespace nas
