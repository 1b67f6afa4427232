// SPDX-License-Identifier: Apache-2.0
// Max pooling with padding ⌊k/2⌋ at every stride, as ResNets have after the stem.
#include <ATen/ATen.h>

#include "builtin_ops.h"

namespace nas::detail {
namespace {

class MaxPoolModule final : public OpModule {
 public:
  explicit MaxPoolModule(const Layer& layer) : kernel_(layer.kernel), stride_(layer.stride) {}

  at::Tensor Forward(const at::Tensor& x, BnMode /*mode*/) override {
    return at::max_pool2d(x, {kernel_, kernel_}, {stride_, stride_}, {kernel_ / 2, kernel_ / 2});
  }

 private:
  std::int64_t kernel_;
  std::int64_t stride_;
};

}  // namespace

std::unique_ptr<OpModule> MakeMaxPool(const Layer& layer, const BatchNormSpec& /*bn*/) {
  return std::make_unique<MaxPoolModule>(layer);
}

}  // namespace nas::detail
