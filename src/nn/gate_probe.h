// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include "nas/nn/supernet.h"

namespace nas::detail {

/// What the autograd node of one edge needs in backward to fill its row of gate gradients, G_k = Σ o_k ⊙ dL/dy.
struct EdgeProbe : public torch::CustomClassHolder {
  at::Tensor gates;  ///< [edges, ops] of the whole step
  int edge = 0;
  std::vector<std::pair<int, at::Tensor>> outputs;                                   ///< (op, o_k) that exist already
  at::Tensor input;                                                                  ///< x for the ops below
  std::vector<std::pair<int, std::function<at::Tensor(const at::Tensor& x)>>> late;  ///< (op, x → o_k), run in backward

  /// `gradient` is dL/dy. Lets go of all tensors afterwards.
  void Fill(const at::Tensor& gradient);
};

/// Passes `y` on unchanged and lets `probe` see dL/dy in backward. `anchor`, a scalar that requires a gradient and gets
/// none, makes the node exist even where nothing in front of it needs a gradient.
at::Tensor PassThrough(const at::Tensor& y, const at::Tensor& anchor, c10::intrusive_ptr<EdgeProbe> probe);

/// Owner of the [edges × ops] buffer of one step.
class GateBuffer final : public GateGradients {
 public:
  /// `ops[e]`: number of candidates of edge e.
  GateBuffer(std::vector<int> ops, const at::TensorOptions& options);
  std::vector<std::vector<double>> ToHost() const override;
  const at::Tensor& gates() const { return gates_; }

 private:
  std::vector<int> ops_;
  at::Tensor gates_;
};

}  // namespace nas::detail
