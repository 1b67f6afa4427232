// SPDX-License-Identifier: Apache-2.0
#include "tensor_list.h"

#include <unordered_map>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

class Collector final : public ModuleVisitor {
 public:
  void VisitTensor(const std::string& name, at::Tensor& tensor, TensorRole role) override {
    tensors.push_back({name, tensor, role});
  }
  std::vector<NamedTensor> tensors;
};

std::string Describe(const at::Tensor& tensor) {
  std::vector<std::string> sizes;
  for (const std::int64_t size : tensor.sizes()) sizes.push_back(StrCat(size));
  return StrCat(c10::toString(tensor.scalar_type()), " [", Join(sizes, ", "), "]");
}

}  // namespace

std::vector<NamedTensor> CollectTensors(OpModule& op, const std::string& prefix) {
  Collector collector;
  op.Visit(prefix, collector);
  return std::move(collector.tensors);
}

void Append(std::vector<NamedTensor>* list, std::vector<NamedTensor> more) {
  for (NamedTensor& tensor : more) list->push_back(std::move(tensor));
}

std::vector<std::pair<std::string, at::Tensor>> ToPairs(const std::vector<NamedTensor>& tensors, bool trained_only) {
  std::vector<std::pair<std::string, at::Tensor>> pairs;
  pairs.reserve(tensors.size());
  for (const NamedTensor& named : tensors) {
    if (!trained_only || IsTrained(named.role)) pairs.emplace_back(named.name, named.tensor);
  }
  return pairs;
}

void AppendPath(std::vector<PathTensor>* path, const std::vector<NamedTensor>& tensors, int edge, int op) {
  for (const NamedTensor& named : tensors) {
    const PathTensor::Kind kind = named.role == TensorRole::kCounter ? PathTensor::Kind::kCounter
                                  : IsTrained(named.role)            ? PathTensor::Kind::kTrained
                                                                     : PathTensor::Kind::kRunning;
    path->push_back({named.name, named.tensor, kind, edge, op});
  }
}

void RequireGradients(const std::vector<NamedTensor>& tensors) {
  for (const NamedTensor& named : tensors) {
    if (IsTrained(named.role)) named.tensor.requires_grad_(true);
  }
}

void MoveTensors(const std::vector<NamedTensor>& tensors, const at::Device& device) {
  const at::NoGradGuard no_grad;
  for (const NamedTensor& named : tensors) {
    if (named.role != TensorRole::kCounter) named.tensor.set_data(named.tensor.to(device));
  }
}

void ConvertTensors(const std::vector<NamedTensor>& tensors, at::ScalarType dtype) {
  const at::NoGradGuard no_grad;
  for (const NamedTensor& named : tensors) {
    if (named.role != TensorRole::kCounter) named.tensor.set_data(named.tensor.to(dtype));
  }
}

void LoadTensors(const std::vector<NamedTensor>& target,
                 const std::vector<std::pair<std::string, at::Tensor>>& source) {
  std::unordered_map<std::string, const at::Tensor*> values;
  for (const auto& [name, tensor] : source) {
    if (!values.emplace(name, &tensor).second) ThrowInput(StrCat("tensor \"", name, "\" is given twice"));
  }
  for (const NamedTensor& named : target) {
    const auto found = values.find(named.name);
    if (found == values.end()) {
      ThrowInput(StrCat("tensor \"", named.name, "\" is missing; these weights belong to another network"));
    }
    const at::Tensor& value = *found->second;
    if (value.sizes() != named.tensor.sizes() || value.scalar_type() != named.tensor.scalar_type()) {
      ThrowInput(StrCat("tensor \"", named.name, "\" is ", Describe(value), ", but the network needs ",
                        Describe(named.tensor)));
    }
    values.erase(found);
  }
  for (const auto& [name, tensor] : source) {
    if (values.count(name) != 0) {
      ThrowInput(StrCat("tensor \"", name, "\" has no place in this network; these weights belong to another one"));
    }
  }
  const at::NoGradGuard no_grad;
  values.clear();
  for (const auto& [name, tensor] : source) values.emplace(name, &tensor);
  for (const NamedTensor& named : target) named.tensor.copy_(*values.at(named.name));
}

void CopyTensors(const std::vector<NamedTensor>& source, const std::vector<NamedTensor>& target) {
  if (source.size() != target.size()) ThrowInternal("two builds of a layer differ in their tensors");
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < source.size(); ++i) target[i].tensor.copy_(source[i].tensor);
}

std::int64_t CountBytes(const std::vector<NamedTensor>& tensors) {
  std::int64_t bytes = 0;
  for (const NamedTensor& named : tensors) bytes += static_cast<std::int64_t>(named.tensor.nbytes());
  return bytes;
}

FrozenScope::FrozenScope(std::vector<at::Tensor> tensors) {
  for (at::Tensor& tensor : tensors) {
    if (!tensor.requires_grad()) continue;
    tensor.requires_grad_(false);
    tensors_.push_back(std::move(tensor));
  }
}

FrozenScope::~FrozenScope() {
  for (const at::Tensor& tensor : tensors_) tensor.requires_grad_(true);
}

}  // namespace nas::detail
