// SPDX-License-Identifier: Apache-2.0
#include "op_module.h"

#include <ATen/ATen.h>

namespace nas::detail {

at::Tensor OpModule::ForwardWithShortcut(const at::Tensor& x, BnMode mode) { return Forward(x, mode) + x; }

void OpModule::Visit(const std::string& /*prefix*/, ModuleVisitor& /*visitor*/) {}

std::string JoinName(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

}  // namespace nas::detail
