// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/kernels/worker_pool.h"

namespace nas::detail {

/// LibTorch's own OpenMP threads, as many as at::get_num_threads() says; items are handed out one by one, so that a
/// core that another process takes away does not hold up the rest.
WorkerPool TorchWorkers();

}  // namespace nas::detail
