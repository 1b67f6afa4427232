// SPDX-License-Identifier: Apache-2.0
#include "nas/train/sgd.h"

#include <torch/torch.h>

#include <algorithm>

#include "nas/core/text.h"
#include "nas/nn/flat_sgd.h"

namespace nas {
namespace {

bool IsBatchNorm(const std::string& name) { return name.find("bn") != std::string::npos; }

/// A momentum buffer that lies in memory as its parameter does. One from a checkpoint comes dense on the CPU;
/// elementwise kernels are fast only over equal layouts.
at::Tensor LikeParameter(const at::Tensor& buffer, const at::Tensor& parameter) {
  if (buffer.device() == parameter.device() && buffer.strides() == parameter.strides() &&
      buffer.scalar_type() == parameter.scalar_type()) {
    return buffer;
  }
  at::Tensor copy = at::empty_like(parameter);
  copy.copy_(buffer);
  return copy;
}

/// Whether a tensor's values lie in memory as the parameter's, float32 on the CPU. The stride of a dimension of one
/// means nothing.
bool LiesLike(const at::Tensor& t, const at::Tensor& parameter) {
  if (!t.is_cpu() || t.scalar_type() != at::kFloat || t.layout() != at::kStrided || !t.is_non_overlapping_and_dense() ||
      t.sizes() != parameter.sizes()) {
    return false;
  }
  for (std::int64_t d = 0; d < t.dim(); ++d) {
    if (t.size(d) != 1 && t.stride(d) != parameter.stride(d)) return false;
  }
  return true;
}

}  // namespace

bool Sgd::StepInOnePass(const NamedTensors& parameters, double lr) {
  for (const auto& [name, parameter] : parameters) {
    const at::Tensor& gradient = parameter.grad();
    if (gradient.defined() && !(LiesLike(parameter, parameter) && LiesLike(gradient, parameter))) return false;
  }
  std::vector<SgdSegment> segments;
  for (const auto& [name, parameter] : parameters) {
    const at::Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    SgdSegment segment{parameter.data_ptr<float>(), gradient.data_ptr<float>(), nullptr, parameter.numel(), {}};
    segment.coefficients.rate = static_cast<float>(lr);
    if (options_.decay_bn || !IsBatchNorm(name)) segment.coefficients.decay = static_cast<float>(options_.weight_decay);
    if (options_.momentum != 0) {
      segment.coefficients.momentum = static_cast<float>(options_.momentum);
      at::Tensor& buffer = momentum_[name];
      segment.coefficients.first = !buffer.defined();
      buffer = buffer.defined() ? LikeParameter(buffer, parameter) : at::empty_like(parameter);
      segment.buffer = buffer.data_ptr<float>();
    }
    segments.push_back(segment);
  }
  StepFlat(segments);
  for (const auto& [name, parameter] : parameters) parameter.mutable_grad().reset();
  return true;
}

void Sgd::Step(const NamedTensors& parameters, double lr) {
  const torch::NoGradGuard no_grad;
  if (StepInOnePass(parameters, lr)) return;
  std::vector<at::Tensor> weights;
  std::vector<at::Tensor> gradients;
  std::vector<at::Tensor> buffers;
  std::vector<at::Tensor> decayed_weights;
  std::vector<at::Tensor> decayed_gradients;
  std::vector<std::pair<std::string, std::size_t>> fresh;  // buffers made in this step: name, place in `gradients`
  std::vector<at::Tensor> known_gradients;
  for (const auto& [name, parameter] : parameters) {
    const at::Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    if (options_.weight_decay != 0 && (options_.decay_bn || !IsBatchNorm(name))) {
      decayed_weights.push_back(parameter);
      decayed_gradients.push_back(gradient);
    }
    if (const auto it = momentum_.find(name); it != momentum_.end()) {
      it->second = LikeParameter(it->second, parameter);
      buffers.push_back(it->second);
      known_gradients.push_back(gradient);
    } else {
      fresh.emplace_back(name, gradients.size());
    }
    weights.push_back(parameter);
    gradients.push_back(gradient);
  }
  if (weights.empty()) return;

  // The gradients are ours to overwrite: they are dropped below.
  if (!decayed_weights.empty()) at::_foreach_add_(decayed_gradients, decayed_weights, options_.weight_decay);
  if (options_.momentum != 0) {
    if (!buffers.empty()) {
      at::_foreach_mul_(buffers, options_.momentum);
      at::_foreach_add_(buffers, known_gradients, 1);
    }
    std::vector<at::Tensor> all_buffers;
    all_buffers.reserve(gradients.size());
    for (std::size_t i = 0, next_fresh = 0, next_known = 0; i < gradients.size(); ++i) {
      if (next_fresh < fresh.size() && fresh[next_fresh].second == i) {
        at::Tensor buffer = at::empty_like(weights[i]);
        buffer.copy_(gradients[i]);
        all_buffers.push_back(momentum_[fresh[next_fresh++].first] = std::move(buffer));
      } else {
        all_buffers.push_back(buffers[next_known++]);
      }
    }
    at::_foreach_add_(gradients, all_buffers, options_.momentum);
  }
  at::_foreach_add_(weights, gradients, -lr);
  for (const at::Tensor& weight : weights) weight.mutable_grad().reset();
}

void Sgd::Forget(const std::string& name) { momentum_.erase(name); }

Sgd::NamedTensors Sgd::State() const {
  NamedTensors state(momentum_.begin(), momentum_.end());
  std::sort(state.begin(), state.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return state;
}

void Sgd::LoadState(const NamedTensors& state) {
  momentum_.clear();
  for (const auto& [name, buffer] : state) momentum_[name] = buffer.clone();
}

}  // namespace nas
