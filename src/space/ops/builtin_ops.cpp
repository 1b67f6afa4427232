// SPDX-License-Identifier: Apache-2.0
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "ops/ops.h"

namespace nas {

const std::vector<const Op*>& BuiltinOps() {
  static const std::vector<const Op*> ops = {
      &detail::ConvOp(),        &detail::MbconvOp(),        &detail::ZeroOp(),       &detail::IdentityOp(),
      &detail::LinearOp(),      &detail::GlobalAvgPoolOp(), &detail::PoolOp(),       &detail::MaxPoolOp(),
      &detail::DepthConvOp(),   &detail::BottleneckOp(),    &detail::TransitionOp(), &detail::TreeNodeOp(),
      &detail::ResidualTreeOp()};
  return ops;
}

const Op& FindOp(std::string_view name) {
  for (const Op* op : BuiltinOps()) {
    if (op->name() == name) return *op;
  }
  std::vector<std::string> names;
  for (const Op* op : BuiltinOps()) names.emplace_back(op->name());
  ThrowInput(StrCat("op \"", name, "\" is not known", DidYouMean(name, names)));
}

}  // namespace nas
