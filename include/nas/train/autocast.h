// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace nas {

/// While it lives, LibTorch computes convs and matrix products in bfloat16 (autocast); nothing changes when `bf16` is
/// false. Parameters, BN statistics, loss and gradients of parameters stay float32.
class AutocastScope {
 public:
  AutocastScope(const at::Device& device, bool bf16);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  at::DeviceType type_;
  bool on_;
  bool before_ = false;
  at::ScalarType type_before_ = at::kBFloat16;
};

}  // namespace nas
