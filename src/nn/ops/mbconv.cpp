// SPDX-License-Identifier: Apache-2.0
// Inverted residual (MobileNetV2, Sandler et al. 2018): [1×1 expand, BN, act] → [k×k depthwise, BN, act, SE] →
// [1×1 project, BN] [+ x].
#include <optional>

#include <ATen/ATen.h>

#include "builtin_ops.h"
#include "conv_layer.h"

namespace nas::detail {
namespace {

class MbconvModule final : public OpModule {
 public:
  MbconvModule(const Layer& layer, const BatchNormSpec& bn) {
    // A ratio of exactly 1 has no expansion conv, whatever the hidden width says.
    const bool expands = layer.expand_ratio != 1;
    const int mid = expands ? layer.mid_channels : layer.in_channels;
    if (expands) expand_.emplace(ConvShape{.in_channels = layer.in_channels, .out_channels = mid}, bn, layer.act);
    depthwise_.emplace(ConvShape{.in_channels = mid,
                                 .out_channels = mid,
                                 .kernel = layer.kernel,
                                 .stride = layer.stride,
                                 .groups = layer.groups == 0 ? mid : layer.groups},
                       bn, layer.act);
    if (layer.use_se) se_.emplace(mid);
    project_.emplace(ConvShape{.in_channels = mid, .out_channels = layer.out_channels}, bn, Activation::kNone);
  }

  at::Tensor Forward(const at::Tensor& x, BnMode mode) override {
    at::Tensor y = expand_ ? expand_->Forward(x, mode) : x;
    y = depthwise_->Forward(y, mode);
    if (se_) y = se_->Forward(y);
    return project_->Forward(y, mode);
  }

  at::Tensor ForwardWithShortcut(const at::Tensor& x, BnMode mode) override {
    // Nothing saves the output of the last BN for backward.
    return Forward(x, mode).add_(x);
  }

  void Visit(const std::string& prefix, ModuleVisitor& visitor) override {
    if (expand_) expand_->Visit(JoinName(prefix, "inverted_bottleneck"), visitor);
    depthwise_->Visit(JoinName(prefix, "depth_conv"), visitor);
    if (se_) se_->Visit(JoinName(prefix, "depth_conv.se"), visitor);
    project_->Visit(JoinName(prefix, "point_linear"), visitor);
  }

  void FoldBatchNorm() override {
    if (expand_) expand_->FoldBatchNorm();
    depthwise_->FoldBatchNorm();
    project_->FoldBatchNorm();
  }

 private:
  std::optional<ConvNorm> expand_;
  std::optional<ConvNorm> depthwise_;
  std::optional<SqueezeExcite> se_;
  std::optional<ConvNorm> project_;
};

}  // namespace

std::unique_ptr<OpModule> MakeMbconv(const Layer& layer, const BatchNormSpec& bn) {
  return std::make_unique<MbconvModule>(layer, bn);
}

}  // namespace nas::detail
