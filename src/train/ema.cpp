// SPDX-License-Identifier: Apache-2.0
#include "nas/train/ema.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

Ema::Ema(double decay, const NamedTensors& tensors) : decay_(decay) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) average_.emplace_back(name, tensor.detach().clone());
}

void Ema::Update(const NamedTensors& tensors) {
  const torch::NoGradGuard no_grad;
  if (tensors.size() != average_.size()) ThrowInternal("Ema::Update: another number of tensors than at the start");
  ++steps_;
  const auto t = static_cast<double>(steps_);
  const double decay = std::min(decay_, (1 + t) / (10 + t));
  std::vector<at::Tensor> averages;
  std::vector<at::Tensor> values;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (average_[i].second.is_floating_point()) {
      averages.push_back(average_[i].second);
      values.push_back(tensors[i].second.detach());
    } else {
      average_[i].second.copy_(tensors[i].second);
    }
  }
  at::_foreach_lerp_(averages, values, 1 - decay);
}

void Ema::Load(const NamedTensors& tensors, std::int64_t steps) {
  const torch::NoGradGuard no_grad;
  std::map<std::string, at::Tensor> by_name(tensors.begin(), tensors.end());
  for (auto& [name, average] : average_) {
    const auto it = by_name.find(name);
    if (it == by_name.end()) ThrowInput(StrCat("the checkpoint has no average of ", name));
    if (it->second.sizes() != average.sizes()) {
      ThrowInput(StrCat("the checkpoint's average of ", name, " has another shape than the network's tensor"));
    }
    average.copy_(it->second);
  }
  steps_ = steps;
}

}  // namespace nas
