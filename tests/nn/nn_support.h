// SPDX-License-Identifier: Apache-2.0
// Helpers of the nn tests. Include after support/torch_test.h.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nas/nn/supernet.h"
#include "nas/space/search_space.h"

namespace nas::test {

using Pairs = std::vector<std::pair<std::string, at::Tensor>>;

inline SearchSpace LoadSpace(const std::string& name, const SpaceOptions& options = {}) {
  return SearchSpace::Load(name, options, {std::string(NAS_SOURCE_DIR) + "/search_spaces"});
}

/// Images that are a pure function of the seed.
inline at::Tensor Images(std::int64_t n, int side, std::uint64_t seed, at::ScalarType dtype = at::kFloat) {
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU).clone();
  generator.set_current_seed(seed);
  return at::empty({n, 3, side, side}, at::kDouble).normal_(0, 1, generator).to(dtype);
}

inline at::Tensor Labels(std::int64_t n, int classes) { return at::arange(n, at::kLong).mul(7).remainder(classes); }

inline at::Tensor Loss(const at::Tensor& logits) {
  return at::cross_entropy_loss(logits, Labels(logits.size(0), static_cast<int>(logits.size(1))));
}

inline std::map<std::string, at::Tensor> Snapshot(const Pairs& tensors) {
  std::map<std::string, at::Tensor> copies;
  for (const auto& [name, tensor] : tensors) copies[name] = tensor.detach().clone();
  return copies;
}

/// Names of the tensors that are not bit-identical to the snapshot.
inline std::vector<std::string> Changed(const std::map<std::string, at::Tensor>& before, const Pairs& now) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : now) {
    if (!at::equal(before.at(name), tensor.detach())) names.push_back(name);
  }
  return names;
}

/// Largest |a − b| over the largest |b|.
inline double RelativeError(const at::Tensor& a, const at::Tensor& b) {
  const double scale = b.abs().max().item<double>();
  return (a - b).abs().max().item<double>() / (scale > 0 ? scale : 1);
}

/// BN scales and shifts, biases and running statistics away from their start values, so that a mistake with them shows.
inline void Disturb(const Pairs& tensors) {
  const at::NoGradGuard no_grad;
  std::uint64_t seed = 1000;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.dim() != 1) continue;
    at::Generator generator = at::globalContext().defaultGenerator(at::kCPU).clone();
    generator.set_current_seed(++seed);
    const bool positive = name.ends_with("running_var") || name.ends_with(".weight");
    const at::Tensor noise =
        at::empty(tensor.sizes(), at::kDouble).uniform_(positive ? 0.5 : -0.3, positive ? 1.5 : 0.3, generator);
    tensor.copy_(noise);
  }
}

}  // namespace nas::test
