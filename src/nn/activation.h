// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include "nas/space/layer.h"

namespace nas::detail {

/// The activation of `x`, which stays as it is.
at::Tensor Activate(Activation activation, const at::Tensor& x);

/// The same for a tensor that nobody else reads and autograd has not saved (the output of a BN or a conv): in place
/// where the gradient can be told from the result, which spares one map in memory and one pass over it.
at::Tensor ActivateOwned(Activation activation, at::Tensor x);

}  // namespace nas::detail
