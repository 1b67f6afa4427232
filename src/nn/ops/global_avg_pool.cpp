// SPDX-License-Identifier: Apache-2.0
// Mean over the whole map: [N, C, H, W] → [N, C, 1, 1].
#include <ATen/ATen.h>

#include "builtin_ops.h"
#include "conv_layer.h"

namespace nas::detail {
namespace {

class GlobalAvgPoolModule final : public OpModule {
 public:
  at::Tensor Forward(const at::Tensor& x, BnMode /*mode*/) override { return GlobalMean(x); }
};

}  // namespace

std::unique_ptr<OpModule> MakeGlobalAvgPool(const Layer& /*layer*/, const BatchNormSpec& /*bn*/) {
  return std::make_unique<GlobalAvgPoolModule>();
}

}  // namespace nas::detail
