// SPDX-License-Identifier: Apache-2.0
// The candidate that lets a block vanish: 0, so that with the identity shortcut y = x (proxyless.md N1).
#include <ATen/ATen.h>

#include "builtin_ops.h"

namespace nas::detail {
namespace {

class ZeroModule final : public OpModule {
 public:
  at::Tensor Forward(const at::Tensor& x, BnMode /*mode*/) override { return at::zeros_like(x); }
  at::Tensor ForwardWithShortcut(const at::Tensor& x, BnMode /*mode*/) override { return x; }
};

}  // namespace

std::unique_ptr<OpModule> MakeZero(const Layer& /*layer*/, const BatchNormSpec& /*bn*/) {
  return std::make_unique<ZeroModule>();
}

}  // namespace nas::detail
