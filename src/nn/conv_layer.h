// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>

#include "batch_norm.h"
#include "nas/nn/bn_mode.h"
#include "op_module.h"

namespace nas::detail {

struct ConvShape {
  int in_channels = 0;
  int out_channels = 0;
  int kernel = 1;
  int stride = 1;
  int dilation = 1;
  int groups = 1;
  bool bias = false;
};

/// 2-D convolution with "same" padding dilation·⌊k/2⌋; weights [C_out, C_in/groups, k, k] in channels_last.
class Conv2d {
 public:
  explicit Conv2d(const ConvShape& shape);

  /// A new tensor that autograd has not saved.
  at::Tensor Forward(const at::Tensor& x) const;
  void Visit(const std::string& name, ModuleVisitor& visitor);
  /// Takes in the BN that follows: weight·factor per output channel, shift as bias.
  void Fold(const BatchNorm& norm);
  const at::Tensor& weight() const { return weight_; }

 private:
  ConvShape shape_;
  at::Tensor weight_;
  at::Tensor bias_;  ///< undefined = none
};

/// conv → BN [→ activation], the brick of MBConv and bottleneck blocks. Names: `<name>.conv.*`, `<name>.bn.*`.
class ConvNorm {
 public:
  ConvNorm(const ConvShape& shape, const BatchNormSpec& bn, Activation act);

  at::Tensor Forward(const at::Tensor& x, BnMode mode);
  void Visit(const std::string& name, ModuleVisitor& visitor);
  void FoldBatchNorm();

  const at::Tensor& weight() const { return conv_.weight(); }
  /// Null once folded.
  BatchNorm* norm() { return norm_ ? &*norm_ : nullptr; }

 private:
  Conv2d conv_;
  std::optional<BatchNorm> norm_;  ///< none once folded
  Activation act_;
};

/// Mean over the map: [N, C, H, W] → [N, C, 1, 1].
at::Tensor GlobalMean(const at::Tensor& x);

/// Squeeze-and-excitation (Hu et al. 2018) as in MobileNetV3: x·h_sigmoid(expand(relu(reduce(mean(x))))), hidden width
/// make_divisible(⌊C/4⌋, 8), both 1×1 convs with bias. Names: `<name>.fc.reduce.*`, `<name>.fc.expand.*`.
class SqueezeExcite {
 public:
  explicit SqueezeExcite(int channels);
  at::Tensor Forward(const at::Tensor& x) const;
  void Visit(const std::string& name, ModuleVisitor& visitor);

 private:
  Conv2d reduce_;
  Conv2d expand_;
};

/// Channel shuffle (ShuffleNet, Zhang et al. 2018): output channels of all groups interleaved.
at::Tensor ShuffleChannels(const at::Tensor& x, int groups);

}  // namespace nas::detail
