// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nas/core/json.h"
#include "nas/search/path_sampler.h"
#include "nas/space/edge_sample.h"
#include "nas/space/search_space.h"

namespace nas {

/// Alphas of one target with their Adam state: float64 on the host, one row per edge, pruned candidates masked (N4,
/// N8).
class ArchParameters {
 public:
  /// N(0, 1e-3) from `seed` (proxyless.md §9).
  ArchParameters(const SearchSpace& space, std::uint64_t seed);
  /// Given start values, fresh Adam state.
  explicit ArchParameters(Matrix alpha);

  int edges() const { return static_cast<int>(alpha_.size()); }
  const std::vector<std::vector<double>>& alpha() const { return alpha_; }
  /// Softmax over candidates that are left, by log-sum-exp; 0 for pruned ones and for them only.
  Matrix Probabilities() const;
  /// log p[edge][op]; −inf for pruned ones.
  Matrix LogProbabilities() const;
  /// Σ_e H(p_e), nats.
  double Entropy() const;
  /// Most probable op per edge (ties: lowest index).
  Choice Argmax() const;

  /// dL/dα of gate gradients G over all candidates: p_i·(G_i − Σ_j p_j·G_j).
  Matrix GateToAlpha(const Matrix& gate_gradients) const;
  /// The same on the sampled pair only, with q = softmax over the pair (mode two).
  Matrix GateToAlphaOnPairs(const Matrix& gate_gradients, const std::vector<EdgeSample>& sample) const;

  /// Adam(β1 = 0, β2 = 0.999, eps 1e-8): an alpha with zero gradient does not move, nor does a pruned one. Throws
  /// kTraining naming edge and op when a gradient is not finite; nothing is changed then.
  void AdamStep(const Matrix& gradient, double lr);
  /// Adam step of mode `two`: then both alphas of each pair are shifted so that the pair's mass is unchanged (§5.5).
  void AdamStepOnPairs(const Matrix& gradient, const std::vector<EdgeSample>& sample, double lr);

  /// Raises log p of each candidate by so much against the others of its edge; Adam's state stays.
  void Add(const Matrix& nats);

  /// Masks a candidate for good. Throws kInternal for the last one of an edge.
  void Prune(int edge, int op);
  bool pruned(int edge, int op) const { return pruned_[edge][op]; }
  int left(int edge) const;  ///< candidates that are not pruned
  const std::vector<std::vector<bool>>& pruned() const { return pruned_; }

  /// Everything, exactly: a state that is loaded again goes on bit for bit.
  Json State() const;
  /// Throws kInput when the state is not one of these alphas.
  void LoadState(const Json& state);

 private:
  Matrix alpha_;
  Matrix second_moment_;
  std::vector<std::vector<bool>> pruned_;
  std::int64_t adam_steps_ = 0;
};

}  // namespace nas
