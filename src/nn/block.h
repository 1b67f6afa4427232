// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

#include "nas/nn/bn_mode.h"
#include "nas/space/architecture.h"
#include "op_module.h"

namespace nas::detail {

/// A layer in its place: the op and, where the layer has one, the identity shortcut around it.
class Block {
 public:
  Block(const Layer& layer, const BatchNormSpec& bn) : op_(MakeOpModule(layer, bn)), skip_(layer.skip) {}

  /// op(x) + x or op(x).
  at::Tensor Forward(const at::Tensor& x, BnMode mode) {
    return skip_ ? op_->ForwardWithShortcut(x, mode) : op_->Forward(x, mode);
  }
  OpModule& op() const { return *op_; }

 private:
  std::unique_ptr<OpModule> op_;
  bool skip_;
};

}  // namespace nas::detail
