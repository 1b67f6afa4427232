// SPDX-License-Identifier: Apache-2.0
// Inverted residual (MobileNetV2, Sandler et al. 2018): [1×1 expand, BN, act] → [k×k depthwise, BN, act, SE] →
// [1×1 project, BN] [+ x].
#include <optional>

#include <ATen/ATen.h>

#include "builtin_ops.h"
#include "conv_layer.h"
#include "fused_mbconv.h"

namespace nas::detail {
namespace {

std::optional<FusedActivation> Fusible(Activation act) {
  switch (act) {
    case Activation::kRelu:
      return FusedActivation::kRelu;
    case Activation::kRelu6:
      return FusedActivation::kRelu6;
    case Activation::kHSwish:
      return FusedActivation::kHSwish;
    default:
      return std::nullopt;
  }
}

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

    const std::optional<FusedActivation> act = Fusible(layer.act);
    const bool depthwise = layer.groups == 0 || layer.groups == mid;
    const bool kernel = layer.kernel == 3 || layer.kernel == 5 || layer.kernel == 7;
    if (act && depthwise && kernel && layer.stride <= 2 && !layer.use_se) {
      fused_.emplace(MbconvShape{.in = layer.in_channels,
                                 .hidden = mid,
                                 .out = layer.out_channels,
                                 .kernel = layer.kernel,
                                 .stride = layer.stride,
                                 .expand = expands,
                                 .act = *act});
    }
  }

  at::Tensor Forward(const at::Tensor& x, BnMode mode) override {
    if (Fuses(x, mode)) return RunFused(x, mode, /*shortcut=*/false);
    at::Tensor y = expand_ ? expand_->Forward(x, mode) : x;
    y = depthwise_->Forward(y, mode);
    if (se_) y = se_->Forward(y);
    return project_->Forward(y, mode);
  }

  at::Tensor ForwardWithShortcut(const at::Tensor& x, BnMode mode) override {
    if (Fuses(x, mode)) return RunFused(x, mode, /*shortcut=*/true);
    // Nothing saves the output of the last BN for backward.
    return Forward(x, mode).add_(x);
  }

  void Visit(const std::string& prefix, ModuleVisitor& visitor) override {
    visitor.VisitKernelMode(kernels_);
    if (expand_) expand_->Visit(JoinName(prefix, "inverted_bottleneck"), visitor);
    depthwise_->Visit(JoinName(prefix, "depth_conv"), visitor);
    if (se_) se_->Visit(JoinName(prefix, "depth_conv.se"), visitor);
    project_->Visit(JoinName(prefix, "point_linear"), visitor);
  }

  void FoldBatchNorm() override {
    fused_.reset();
    if (expand_) expand_->FoldBatchNorm();
    depthwise_->FoldBatchNorm();
    project_->FoldBatchNorm();
  }

 private:
  bool Fuses(const at::Tensor& x, BnMode mode) const {
    return fused_.has_value() && CanFuse(kernels_, x, project_->weight(), mode);
  }

  at::Tensor RunFused(const at::Tensor& x, BnMode mode, bool shortcut) {
    MbconvShape shape = *fused_;
    shape.shortcut = shortcut;
    FusedMbconvParts parts;
    std::optional<ConvNorm>* const layers[3] = {&expand_, &depthwise_, &project_};
    for (int i = 0; i < 3; ++i) {
      if (!layers[i]->has_value()) continue;
      parts.weights[i] = (*layers[i])->weight();
      parts.norms[i] = (*layers[i])->norm();
    }
    return FusedMbconv(shape, parts, x, mode);
  }

  KernelMode kernels_ = KernelMode::kAuto;
  std::optional<MbconvShape> fused_;  ///< none where the kernels do not have this block
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
