// SPDX-License-Identifier: Apache-2.0
// `TransitionBlock`: layers in sequence. Names: `layers.<i>`.
#include <ATen/ATen.h>

#include "block.h"
#include "builtin_ops.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

class TransitionModule final : public OpModule {
 public:
  TransitionModule(const Layer& layer, const BatchNormSpec& bn) {
    for (const Layer& child : layer.children) layers_.emplace_back(child, bn);
  }

  at::Tensor Forward(const at::Tensor& x, BnMode mode) override {
    at::Tensor y = x;
    for (Block& layer : layers_) y = layer.Forward(y, mode);
    return y;
  }
  void Visit(const std::string& prefix, ModuleVisitor& visitor) override {
    for (std::size_t i = 0; i < layers_.size(); ++i)
      layers_[i].op().Visit(JoinName(prefix, StrCat("layers.", i)), visitor);
  }
  void FoldBatchNorm() override {
    for (Block& layer : layers_) layer.op().FoldBatchNorm();
  }

 private:
  std::vector<Block> layers_;
};

}  // namespace

std::unique_ptr<OpModule> MakeTransition(const Layer& layer, const BatchNormSpec& bn) {
  return std::make_unique<TransitionModule>(layer, bn);
}

}  // namespace nas::detail
