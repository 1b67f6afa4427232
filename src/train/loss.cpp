// SPDX-License-Identifier: Apache-2.0
#include "nas/train/loss.h"

#include <torch/torch.h>

namespace nas {

at::Tensor CrossEntropy(const at::Tensor& logits, const at::Tensor& labels, double label_smoothing) {
  const bool half = logits.scalar_type() == at::kBFloat16 || logits.scalar_type() == at::kHalf;
  return at::cross_entropy_loss(half ? logits.to(at::kFloat) : logits, labels, /*weight=*/{}, at::Reduction::Mean,
                                /*ignore_index=*/-100, label_smoothing);
}

}  // namespace nas
