// SPDX-License-Identifier: Apache-2.0
#include "builtin_ops.h"

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {

const std::vector<BuiltinOpModule>& BuiltinOpModules() {
  static const std::vector<BuiltinOpModule> modules = {
      {"conv", MakeConv},
      {"mbconv", MakeMbconv},
      {"zero", MakeZero},
      {"identity", MakeIdentity},
      {"linear", MakeLinear},
      {"global_avg_pool", MakeGlobalAvgPool},
      {"pool", MakePool},
      {"max_pool", MakeMaxPool},
      {"depth_conv", MakeDepthConv},
      {"bottleneck", MakeBottleneck},
      {"transition", MakeTransition},
      {"tree_node", MakeTreeNode},
      {"residual_tree", MakeResidualTree},
  };
  return modules;
}

std::unique_ptr<OpModule> MakeOpModule(const Layer& layer, const BatchNormSpec& bn) {
  std::vector<std::string> names;
  for (const BuiltinOpModule& module : BuiltinOpModules()) {
    if (module.op == layer.op) return module.make(layer, bn);
    names.emplace_back(module.op);
  }
  ThrowInput(StrCat("layer \"", layer.name, "\": no network can be built with op \"", layer.op, "\"",
                    DidYouMean(layer.op, names)));
}

}  // namespace nas::detail
