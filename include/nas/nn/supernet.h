// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nas/nn/bn_mode.h"
#include "nas/nn/kernel_mode.h"
#include "nas/nn/network.h"
#include "nas/nn/path_tensor.h"
#include "nas/space/edge_sample.h"
#include "nas/space/search_space.h"

namespace nas {

/// Gate gradients of one architecture step. They exist on the device after `backward`, and are fetched in one copy.
class GateGradients {
 public:
  virtual ~GateGradients() = default;
  /// G[edge][op] as float64; 0 for candidates that were not part of the step and for Zero (N1).
  virtual std::vector<std::vector<double>> ToHost() const = 0;
};

struct ArchForward {
  at::Tensor logits;  ///< [N, classes]
  std::shared_ptr<const GateGradients> gates;
};

/// The over-parameterised network: fixed layers and, on every searched edge, all candidate ops, of which a step runs
/// one (weight step) or adds probes (architecture step). Knows nothing of alphas, which live on the host (N4).
class Supernet {
 public:
  Supernet(const SearchSpace& space, std::uint64_t seed, KernelMode kernels = KernelMode::kAuto);
  ~Supernet();

  const SearchSpace& space() const;
  /// Logits of one path. Zero active: the edge returns x.
  at::Tensor Forward(const at::Tensor& images, const Choice& choice, BnMode mode);
  /// Logits of the active path with a graph that yields gate gradients on `backward`. BN in kProbe mode; needs no
  /// weight gradients, and produces none. Until `backward` the supernet has to live and no candidate may be removed:
  /// kFullV2 runs the other candidates then.
  ArchForward ForwardGated(const at::Tensor& images, const std::vector<EdgeSample>& sample, GateMode mode);

  void To(const at::Device& device);
  void To(at::ScalarType dtype);
  at::Device device() const;

  /// Trainable tensors of one path (fixed layers and the chosen candidates), named and in a stable order:
  /// "blocks.1.op2.inverted_bottleneck.conv.weight". The weight optimizer steps exactly these.
  const std::vector<std::pair<std::string, at::Tensor>>& FixedParameters() const;
  const std::vector<std::pair<std::string, at::Tensor>>& CandidateParameters(int edge, int op) const;
  /// Trained tensors and BN statistics of one path, in the order in which a forward comes to them.
  std::vector<PathTensor> PathTensors(const Choice& choice) const;
  /// All tensors that a checkpoint holds, freed candidates left out.
  std::vector<std::pair<std::string, at::Tensor>> NamedTensors() const;
  void Load(const std::vector<std::pair<std::string, at::Tensor>>& tensors);

  /// Path-level pruning (N8): frees a candidate's tensors for good; returns the bytes freed.
  std::int64_t Remove(int edge, int op);
  bool IsRemoved(int edge, int op) const;

  /// The plain network of a choice with copies of the path's weights and BN statistics.
  Network Extract(const Choice& choice) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nas
