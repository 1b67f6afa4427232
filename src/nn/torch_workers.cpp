// SPDX-License-Identifier: Apache-2.0
#include "torch_workers.h"

#include <omp.h>

#include <ATen/Parallel.h>

#include <atomic>
#include <exception>
#include <mutex>

namespace nas::detail {

WorkerPool TorchWorkers() {
  WorkerPool pool;
  const int workers = omp_in_parallel() != 0 ? 1 : at::get_num_threads();
  if (workers <= 1) return pool;
  pool.workers = workers;
  pool.run = [workers](std::int64_t items, const WorkerPool::Body& body) {
    std::atomic<std::int64_t> next{0};
    std::exception_ptr error;
    std::mutex mutex;
#pragma omp parallel num_threads(workers)
    {
      try {
        const int worker = omp_get_thread_num();
        for (std::int64_t i = next++; i < items; i = next++) body(i, worker);
      } catch (...) {
        next = items;
        const std::lock_guard lock(mutex);
        error = std::current_exception();
      }
    }
    if (error) std::rethrow_exception(error);
  };
  return pool;
}

}  // namespace nas::detail
