// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nas/nn/bn_mode.h"
#include "nas/nn/kernel_mode.h"
#include "nas/nn/path_tensor.h"
#include "nas/space/architecture.h"

namespace nas {

/// A plain network that runs an `Architecture`: what search results are trained, measured and exported as.
/// Owns its tensors; not copyable. Parameter names follow the state dict of net.config (proxyless.md §13).
class Network {
 public:
  /// He-fout initialisation from `seed` alone (proxyless.md §9). float32, channels_last, on the CPU.
  /// Throws kInput when an op has no module.
  Network(const Architecture& architecture, std::uint64_t seed, KernelMode kernels = KernelMode::kAuto);
  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  const Architecture& architecture() const;

  /// images [N, 3, R, R] → logits [N, classes].
  at::Tensor Forward(const at::Tensor& images, BnMode mode);
  /// Runs only the layers [first, last), on the map that enters `first`, in channels_last: for timing a layer in its
  /// place.
  at::Tensor ForwardLayers(const at::Tensor& x, int first, int last, BnMode mode);
  /// Moves parameters and buffers; the tensor objects stay the same, so an optimizer's handles stay valid.
  void To(const at::Device& device);
  void To(at::ScalarType dtype);
  /// Dropout masks of the kTrain forwards that follow are a pure function of `seed` and of how many came since.
  void SeedDropout(std::uint64_t seed);

  /// Trainable tensors with their names, in network order. BN affine parameters have `bn` in their name.
  std::vector<std::pair<std::string, at::Tensor>> NamedParameters() const;
  /// Parameters and buffers (running_mean, running_var, num_batches_tracked), in network order.
  std::vector<std::pair<std::string, at::Tensor>> NamedTensors() const;
  /// Trained tensors and BN statistics, in network order.
  std::vector<PathTensor> PathTensors() const;
  /// Copies values in; names, shapes and dtypes must agree exactly, else kInput naming the first that does not.
  void Load(const std::vector<std::pair<std::string, at::Tensor>>& tensors);

  /// A copy with every BN folded into the conv before it, for inference (BnMode::kEval only).
  Network Folded() const;

 private:
  friend class Supernet;
  friend std::int64_t RecalibrateBatchNorm(Network& network, const std::function<bool(at::Tensor* images)>& next_batch);

  Network();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nas
