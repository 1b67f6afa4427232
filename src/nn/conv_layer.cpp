// SPDX-License-Identifier: Apache-2.0
#include "conv_layer.h"

#include <array>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "activation.h"
#include "nas/space/layer.h"

namespace nas::detail {

Conv2d::Conv2d(const ConvShape& shape)
    : shape_(shape),
      weight_(at::empty({shape.out_channels, shape.in_channels / shape.groups, shape.kernel, shape.kernel},
                        at::TensorOptions(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast))) {
  if (shape.bias) bias_ = at::empty({shape.out_channels}, at::kFloat);
}

at::Tensor Conv2d::Forward(const at::Tensor& x) const {
  const std::int64_t stride = shape_.stride;
  const std::int64_t dilation = shape_.dilation;
  const std::int64_t padding = dilation * (shape_.kernel / 2);
  return at::conv2d(x, weight_, bias_, {stride, stride}, {padding, padding}, {dilation, dilation}, shape_.groups);
}

void Conv2d::Visit(const std::string& name, ModuleVisitor& visitor) {
  visitor.VisitTensor(JoinName(name, "weight"), weight_, TensorRole::kConvWeight);
  if (bias_.defined()) visitor.VisitTensor(JoinName(name, "bias"), bias_, TensorRole::kBias);
}

void Conv2d::Fold(const BatchNorm& norm) {
  const at::NoGradGuard no_grad;
  const at::Tensor factor = norm.EvalFactor();
  at::Tensor shift = norm.EvalShift();
  if (bias_.defined()) shift = shift + bias_.to(at::kDouble) * factor;
  weight_ = (weight_.to(at::kDouble) * factor.view({-1, 1, 1, 1}))
                .to(weight_.scalar_type())
                .contiguous(at::MemoryFormat::ChannelsLast);
  bias_ = shift.to(weight_.scalar_type());
}

ConvNorm::ConvNorm(const ConvShape& shape, const BatchNormSpec& bn, Activation act)
    : conv_(shape), norm_(std::in_place, shape.out_channels, bn), act_(act) {}

at::Tensor ConvNorm::Forward(const at::Tensor& x, BnMode mode) {
  at::Tensor y = conv_.Forward(x);
  if (norm_) y = norm_->Forward(y, mode);
  return ActivateOwned(act_, std::move(y));
}

void ConvNorm::Visit(const std::string& name, ModuleVisitor& visitor) {
  conv_.Visit(JoinName(name, "conv"), visitor);
  if (norm_) norm_->Visit(JoinName(name, "bn"), visitor);
}

void ConvNorm::FoldBatchNorm() {
  if (!norm_) return;
  conv_.Fold(*norm_);
  norm_.reset();
}

at::Tensor GlobalMean(const at::Tensor& x) {
  // Not `mean`: its gradient is an expanded tensor that drags the next passes out of channels_last.
  return at::avg_pool2d(x, {x.size(2), x.size(3)});
}

SqueezeExcite::SqueezeExcite(int channels)
    : reduce_({.in_channels = channels, .out_channels = MakeDivisible(channels / 4, 8), .bias = true}),
      expand_({.in_channels = MakeDivisible(channels / 4, 8), .out_channels = channels, .bias = true}) {}

at::Tensor SqueezeExcite::Forward(const at::Tensor& x) const {
  const at::Tensor hidden = ActivateOwned(Activation::kRelu, reduce_.Forward(GlobalMean(x)));
  return x * ActivateOwned(Activation::kHSigmoid, expand_.Forward(hidden));
}

void SqueezeExcite::Visit(const std::string& name, ModuleVisitor& visitor) {
  reduce_.Visit(JoinName(name, "fc.reduce"), visitor);
  expand_.Visit(JoinName(name, "fc.expand"), visitor);
}

at::Tensor ShuffleChannels(const at::Tensor& x, int groups) {
  const std::int64_t n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
  return x.reshape({n, groups, c / groups, h, w})
      .transpose(1, 2)
      .reshape({n, c, h, w})
      .contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace nas::detail
