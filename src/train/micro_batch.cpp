// SPDX-License-Identifier: Apache-2.0
#include "nas/train/micro_batch.h"

#include <algorithm>
#include <new>
#include <string>

#include <torch/torch.h>

#include "nas/core/error.h"

namespace nas {

std::vector<MicroBatch> CutBatch(const Batch& batch, std::int64_t images) {
  const std::int64_t all = batch.labels.size(0);
  if (images <= 0 || images >= all) return {{batch, 1.0}};
  std::vector<MicroBatch> pieces;
  for (std::int64_t first = 0; first < all; first += images) {
    const std::int64_t count = std::min(images, all - first);
    pieces.push_back({{batch.images.narrow(0, first, count), batch.labels.narrow(0, first, count)},
                      static_cast<double>(count) / static_cast<double>(all)});
  }
  return pieces;
}

bool IsOutOfMemory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  if (dynamic_cast<const c10::Error*>(&error) == nullptr) return false;
  // The CPU allocator throws a plain c10::Error.
  const std::string text = error.what();
  return text.find("DefaultCPUAllocator") != std::string::npos || text.find("not enough memory") != std::string::npos;
}

void RunWithinMemory(std::int64_t batch_images, std::int64_t* micro, const std::function<void(std::int64_t)>& step,
                     const std::function<void()>& undo, const std::function<void(std::int64_t)>& on_halved) {
  while (true) {
    try {
      return step(*micro);
    } catch (const std::exception& error) {
      if (!IsOutOfMemory(error)) throw;
    }
    undo();
    const std::int64_t tried = *micro > 0 ? std::min(*micro, batch_images) : batch_images;
    if (tried <= 1) {
      throw Error(ErrorKind::kUnavailable,
                  "out of memory even with one image at a time; give a smaller --resolution or --width-mult");
    }
    *micro = (tried + 1) / 2;
    on_halved(*micro);
  }
}

}  // namespace nas
