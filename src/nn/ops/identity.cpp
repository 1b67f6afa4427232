// SPDX-License-Identifier: Apache-2.0
// `IdentityLayer`: y = x, or BN and activation alone.
#include <ATen/ATen.h>

#include "builtin_ops.h"
#include "ordered_op.h"

namespace nas::detail {
namespace {

class IdentityModule final : public OrderedOp {
 public:
  IdentityModule(const Layer& layer, const BatchNormSpec& bn) : OrderedOp(layer, bn, DropUnit::kChannel) {}

 private:
  at::Tensor Weigh(const at::Tensor& x) override { return x; }
};

}  // namespace

std::unique_ptr<OpModule> MakeIdentity(const Layer& layer, const BatchNormSpec& bn) {
  return std::make_unique<IdentityModule>(layer, bn);
}

}  // namespace nas::detail
