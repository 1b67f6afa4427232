// SPDX-License-Identifier: Apache-2.0
#include "ordered_op.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "activation.h"
#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {

OrderedOp::OrderedOp(const Layer& layer, const BatchNormSpec& bn, DropUnit dropped)
    : act_(layer.act), dropout_(layer.dropout, dropped) {
  for (const std::string& word : Split(layer.ops_order, '_')) {
    if (word == "weight") {
      steps_.push_back(Step::kWeight);
    } else if (word == "bn") {
      if (layer.use_bn) steps_.push_back(Step::kNorm);
    } else if (word == "act") {
      if (layer.act != Activation::kNone) steps_.push_back(Step::kAct);
    } else {
      ThrowInput(StrCat("layer \"", layer.name, "\": ops_order \"", layer.ops_order,
                        "\"; a permutation of weight, bn and act such as weight_bn_act is needed"));
    }
  }
  if (layer.use_bn) {
    const auto weight = std::find(steps_.begin(), steps_.end(), Step::kWeight);
    const auto norm = std::find(steps_.begin(), steps_.end(), Step::kNorm);
    norm_.emplace(norm < weight ? layer.in_channels : layer.out_channels, bn);
  }
}

at::Tensor OrderedOp::Forward(const at::Tensor& x, BnMode mode) {
  at::Tensor y = x;
  for (const Step step : steps_) {
    switch (step) {
      case Step::kWeight:
        y = Weigh(dropout_.Forward(y, mode));
        break;
      case Step::kNorm:
        y = norm_->Forward(y, mode);
        break;
      case Step::kAct:
        y = y.is_same(x) ? Activate(act_, y) : ActivateOwned(act_, y);
        break;
    }
  }
  return Finish(y);
}

void OrderedOp::Visit(const std::string& prefix, ModuleVisitor& visitor) {
  visitor.VisitDropout(prefix, dropout_);
  for (const Step step : steps_) {
    if (step == Step::kWeight) VisitWeights(prefix, visitor);
    if (step == Step::kNorm) norm_->Visit(JoinName(prefix, "bn"), visitor);
  }
  VisitLast(prefix, visitor);
}

void OrderedOp::FoldBatchNorm() {
  for (std::size_t i = 0; i + 1 < steps_.size(); ++i) {
    if (steps_[i] == Step::kWeight && steps_[i + 1] == Step::kNorm && Fold(*norm_)) {
      steps_.erase(steps_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      norm_.reset();
      return;
    }
  }
}

}  // namespace nas::detail
