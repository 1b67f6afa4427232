// SPDX-License-Identifier: Apache-2.0
// ResNet bottleneck (He et al. 2016): 1×1 → k×k (stride, groups) → 1×1, BN after each, plus a shortcut: identity where
// the shape is kept, else 1×1 + BN ("conv", strided; "avgpool_conv", after an s×s average pooling); activation after
// the sum.
#include <optional>

#include <ATen/ATen.h>

#include "activation.h"
#include "builtin_ops.h"
#include "conv_layer.h"

namespace nas::detail {
namespace {

class BottleneckModule final : public OpModule {
 public:
  BottleneckModule(const Layer& layer, const BatchNormSpec& bn)
      : act_(layer.act),
        reduce_({.in_channels = layer.in_channels, .out_channels = layer.mid_channels}, bn, layer.act),
        middle_({.in_channels = layer.mid_channels,
                 .out_channels = layer.mid_channels,
                 .kernel = layer.kernel,
                 .stride = layer.stride,
                 .groups = layer.groups},
                bn, layer.act),
        restore_({.in_channels = layer.mid_channels, .out_channels = layer.out_channels}, bn, Activation::kNone) {
    if (layer.stride == 1 && layer.in_channels == layer.out_channels) return;
    pool_stride_ = layer.pool == "avgpool_conv" ? layer.stride : 1;
    downsample_.emplace(ConvShape{.in_channels = layer.in_channels,
                                  .out_channels = layer.out_channels,
                                  .stride = layer.pool == "avgpool_conv" ? 1 : layer.stride},
                        bn, Activation::kNone);
  }

  at::Tensor Forward(const at::Tensor& x, BnMode mode) override {
    at::Tensor y = restore_.Forward(middle_.Forward(reduce_.Forward(x, mode), mode), mode);
    return ActivateOwned(act_, y.add_(Shortcut(x, mode)));
  }

  void Visit(const std::string& prefix, ModuleVisitor& visitor) override {
    reduce_.Visit(JoinName(prefix, "conv1"), visitor);
    middle_.Visit(JoinName(prefix, "conv2"), visitor);
    restore_.Visit(JoinName(prefix, "conv3"), visitor);
    if (downsample_) downsample_->Visit(JoinName(prefix, "downsample"), visitor);
  }

  void FoldBatchNorm() override {
    reduce_.FoldBatchNorm();
    middle_.FoldBatchNorm();
    restore_.FoldBatchNorm();
    if (downsample_) downsample_->FoldBatchNorm();
  }

 private:
  at::Tensor Shortcut(const at::Tensor& x, BnMode mode) {
    if (!downsample_) return x;
    if (pool_stride_ == 1) return downsample_->Forward(x, mode);
    return downsample_->Forward(at::avg_pool2d(x, {pool_stride_, pool_stride_}, {pool_stride_, pool_stride_}, {0, 0},
                                               /*ceil_mode=*/true),
                                mode);
  }

  Activation act_;
  ConvNorm reduce_;
  ConvNorm middle_;
  ConvNorm restore_;
  std::optional<ConvNorm> downsample_;
  std::int64_t pool_stride_ = 1;
};

}  // namespace

std::unique_ptr<OpModule> MakeBottleneck(const Layer& layer, const BatchNormSpec& bn) {
  return std::make_unique<BottleneckModule>(layer, bn);
}

}  // namespace nas::detail
