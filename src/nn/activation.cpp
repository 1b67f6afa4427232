// SPDX-License-Identifier: Apache-2.0
#include "activation.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nas/core/error.h"

namespace nas::detail {
namespace {

/// min(max(x, 0), 6) in place. LibTorch's own in-place form copies its input for backward; the result tells as much: it
/// lies strictly between the bounds exactly where the input did.
class Relu6InPlace : public torch::autograd::Function<Relu6InPlace> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, at::Tensor x) {
    x.clamp_(0, 6);
    ctx->mark_dirty({x});
    ctx->save_for_backward({x});
    return x;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* ctx,
                                               torch::autograd::tensor_list grads) {
    return {at::hardtanh_backward(grads[0], ctx->get_saved_variables()[0], 0, 6)};
  }
};

bool NeedsGraph(const at::Tensor& x) { return x.requires_grad() && at::GradMode::is_enabled(); }

}  // namespace

at::Tensor Activate(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return at::relu(x);
    case Activation::kRelu6:
      return at::hardtanh(x, 0, 6);
    case Activation::kTanh:
      return at::tanh(x);
    case Activation::kSigmoid:
      return at::sigmoid(x);
    case Activation::kHSwish:
      return at::hardswish(x);
    case Activation::kHSigmoid:
      return at::hardsigmoid(x);
  }
  ThrowInternal("an activation without code");
}

at::Tensor ActivateOwned(Activation activation, at::Tensor x) {
  switch (activation) {
    case Activation::kRelu:
      return x.relu_();
    case Activation::kRelu6:
      return NeedsGraph(x) ? Relu6InPlace::apply(x) : x.clamp_(0, 6);
    case Activation::kTanh:
      return x.tanh_();
    case Activation::kSigmoid:
      return x.sigmoid_();
    case Activation::kHSwish:
      return NeedsGraph(x) ? at::hardswish(x) : at::hardswish_(x);
    case Activation::kHSigmoid:
      return NeedsGraph(x) ? at::hardsigmoid(x) : at::hardsigmoid_(x);
    case Activation::kNone:
      return x;
  }
  ThrowInternal("an activation without code");
}

}  // namespace nas::detail
