// SPDX-License-Identifier: Apache-2.0
#include "nas/train/micro_batch.h"

#include <algorithm>
#include <new>
#include <string>

#include <torch/torch.h>

#include "nas/core/error.h"
#include "nas/core/machine.h"
#include "nas/core/text.h"

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
  // The CPU allocator throws a plain c10::Error; oneDNN, when it finds no room for its scratch pad, an error of its
  // own.
  const std::string text = error.what();
  for (const char* sign : {"DefaultCPUAllocator", "not enough memory", "could not create a primitive",
                           "could not create a memory object"}) {
    if (text.find(sign) != std::string::npos) return true;
  }
  return false;
}

void RunWithinMemory(std::int64_t batch_images, std::int64_t* micro, const std::function<void(std::int64_t)>& step,
                     const std::function<void()>& undo, const std::function<void(std::int64_t)>& on_halved) {
  while (true) {
    std::string reason;
    try {
      return step(*micro);
    } catch (const std::exception& error) {
      if (!IsOutOfMemory(error)) throw;
      reason = error.what();
    }
    undo();
    ReleaseFreeBuffers();
    const std::int64_t tried = *micro > 0 ? std::min(*micro, batch_images) : batch_images;
    if (tried <= 1) {
      throw Error(ErrorKind::kUnavailable,
                  StrCat("out of memory even with one image at a time (", reason.substr(0, reason.find('\n')),
                         "); give a smaller --resolution or --width-mult"));
    }
    *micro = (tried + 1) / 2;
    on_halved(*micro);
  }
}

}  // namespace nas
