// SPDX-License-Identifier: Apache-2.0
// `PoolingLayer`: max or average; "same" padding at stride 1, none at larger strides; averages leave the padding out.
#include <ATen/ATen.h>

#include "builtin_ops.h"
#include "ordered_op.h"

namespace nas::detail {
namespace {

class PoolModule final : public OrderedOp {
 public:
  PoolModule(const Layer& layer, const BatchNormSpec& bn)
      : OrderedOp(layer, bn, DropUnit::kChannel),
        kernel_(layer.kernel),
        stride_(layer.stride),
        padding_(layer.stride == 1 ? layer.kernel / 2 : 0),
        max_(layer.pool == "max") {}

 private:
  at::Tensor Weigh(const at::Tensor& x) override {
    if (max_) return at::max_pool2d(x, {kernel_, kernel_}, {stride_, stride_}, {padding_, padding_});
    return at::avg_pool2d(x, {kernel_, kernel_}, {stride_, stride_}, {padding_, padding_}, /*ceil_mode=*/false,
                          /*count_include_pad=*/false);
  }

  std::int64_t kernel_;
  std::int64_t stride_;
  std::int64_t padding_;
  bool max_;
};

}  // namespace

std::unique_ptr<OpModule> MakePool(const Layer& layer, const BatchNormSpec& bn) {
  return std::make_unique<PoolModule>(layer, bn);
}

}  // namespace nas::detail
