// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nas/nn/path_tensor.h"
#include "op_module.h"

namespace nas::detail {

/// A tensor with its state-dict name and purpose; shares the tensor of the op that owns it.
struct NamedTensor {
  std::string name;
  at::Tensor tensor;
  TensorRole role = TensorRole::kConvWeight;
};

/// Tensors of one op, in its fixed order.
std::vector<NamedTensor> CollectTensors(OpModule& op, const std::string& prefix);
void Append(std::vector<NamedTensor>* list, std::vector<NamedTensor> more);

/// As the public headers hand them out; `trained_only` leaves buffers away.
std::vector<std::pair<std::string, at::Tensor>> ToPairs(const std::vector<NamedTensor>& tensors, bool trained_only);

/// The same for those who share steps between processes.
void AppendPath(std::vector<PathTensor>* path, const std::vector<NamedTensor>& tensors, int edge, int op);

/// Marks the trained tensors as such for autograd.
void RequireGradients(const std::vector<NamedTensor>& tensors);

/// Moves or converts in place (the tensor objects stay the same, so handles of others stay valid). Counters stay where
/// they are.
void MoveTensors(const std::vector<NamedTensor>& tensors, const at::Device& device);
void ConvertTensors(const std::vector<NamedTensor>& tensors, at::ScalarType dtype);

/// Copies the values of `source`, which has to have exactly the names, shapes and dtypes of `target`. Throws kInput
/// naming the first difference, before anything is changed.
void LoadTensors(const std::vector<NamedTensor>& target, const std::vector<std::pair<std::string, at::Tensor>>& source);

/// Copies values between lists of equal layout, as two builds of the same layer have.
void CopyTensors(const std::vector<NamedTensor>& source, const std::vector<NamedTensor>& target);

std::int64_t CountBytes(const std::vector<NamedTensor>& tensors);

/// While it lives, the given tensors need no gradient.
class FrozenScope {
 public:
  explicit FrozenScope(std::vector<at::Tensor> tensors);
  ~FrozenScope();
  FrozenScope(const FrozenScope&) = delete;
  FrozenScope& operator=(const FrozenScope&) = delete;

 private:
  std::vector<at::Tensor> tensors_;
};

}  // namespace nas::detail
