// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace nas {

struct SgdOptions {
  double momentum = 0.9;       ///< Nesterov
  double weight_decay = 4e-5;  ///< L2 on weights
  bool decay_bn = true;        ///< also on BN scale and shift (the released search code does; retraining does not)
};

/// SGD with Nesterov momentum that touches exactly the tensors it is handed: an op that was not sampled keeps weights
/// and momentum bit for bit (proxyless.md N3), and a step costs nothing for the other candidates. Update (PyTorch's): g
/// += wd·w; buf = μ·buf + g (first time buf = g); w −= lr·(g + μ·buf).
class Sgd {
 public:
  using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;
  explicit Sgd(const SgdOptions& options) : options_(options) {}

  /// One step on the tensors whose gradient is defined; gradients are then reset to undefined.
  void Step(const NamedTensors& parameters, double lr);
  /// Drops momentum of tensors that were pruned.
  void Forget(const std::string& name);
  /// Momentum buffers by parameter name, sorted, for checkpoints.
  NamedTensors State() const;
  void LoadState(const NamedTensors& state);

 private:
  /// The whole step for float32 on the CPU; false, with nothing done, where some tensor is something else.
  bool StepInOnePass(const NamedTensors& parameters, double lr);

  SgdOptions options_;
  std::unordered_map<std::string, at::Tensor> momentum_;
};

}  // namespace nas
