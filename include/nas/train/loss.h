// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace nas {

/// Mean cross-entropy of logits [N, classes] against labels [N] int64, in float32 or wider whatever the logits are.
/// With label smoothing s the target is (1 − s)·onehot + s/classes (Szegedy et al. 2016).
at::Tensor CrossEntropy(const at::Tensor& logits, const at::Tensor& labels, double label_smoothing = 0);

}  // namespace nas
