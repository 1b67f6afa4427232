// SPDX-License-Identifier: Apache-2.0
#include "op_module.h"

#include <ATen/ATen.h>

namespace nas::detail {
namespace {

class KernelModeSetter final : public ModuleVisitor {
 public:
  explicit KernelModeSetter(KernelMode mode) : mode_(mode) {}
  void VisitTensor(const std::string&, at::Tensor&, TensorRole) override {}
  void VisitKernelMode(KernelMode& mode) override { mode = mode_; }

 private:
  KernelMode mode_;
};

}  // namespace

at::Tensor OpModule::ForwardWithShortcut(const at::Tensor& x, BnMode mode) { return Forward(x, mode) + x; }

void OpModule::Visit(const std::string& /*prefix*/, ModuleVisitor& /*visitor*/) {}

void SetKernelMode(OpModule& op, KernelMode mode) {
  KernelModeSetter setter(mode);
  op.Visit("", setter);
}

std::string JoinName(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

}  // namespace nas::detail
