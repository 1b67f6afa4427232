// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

#include "nas/core/json.h"
#include "nas/data/loader.h"
#include "nas/dist/communicator.h"

namespace nas {

/// Shares 0…1; loss is the mean cross-entropy without smoothing.
struct Accuracy {
  double top1 = 0;
  double top5 = 0;  ///< 1 when there are fewer than 6 classes
  double loss = 0;
  std::int64_t images = 0;
};
Json ToJson(const Accuracy& accuracy);

/// Runs one pass of the loader from its start through `forward` (images → logits), without a graph.
/// `ranks`: batch j is judged by rank j mod R (the loader has a stride of R); the same result on all, whatever R.
Accuracy Evaluate(const std::function<at::Tensor(const at::Tensor&)>& forward, Loader& loader, const at::Device& device,
                  Communicator* ranks = nullptr);

}  // namespace nas
