// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

namespace nas {

/// How a kernel runs its work items: the caller lends its threads (LibTorch's, say), so that a process has one pool.
/// Kernels give every item its own place for results and join them in the order of the items: their bits depend neither
/// on `workers` nor on who ran which item.
struct WorkerPool {
  using Body = std::function<void(std::int64_t item, int worker)>;
  int workers = 1;  ///< `worker` is in [0, workers)
  /// Calls body(0…items−1, worker) in any order, hands out items one by one, and returns when all are done.
  std::function<void(std::int64_t items, const Body& body)> run = [](std::int64_t items, const Body& body) {
    for (std::int64_t i = 0; i < items; ++i) body(i, 0);
  };
};

}  // namespace nas
