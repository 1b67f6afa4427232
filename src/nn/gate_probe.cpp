// SPDX-License-Identifier: Apache-2.0
#include "gate_probe.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace nas::detail {
namespace {

/// The numbers of a map in the order they lie in memory, in the precision of the gates: a view where `x` is
/// channels_last and has it already.
at::Tensor Flat(const at::Tensor& x, at::ScalarType dtype) {
  return (x.dim() == 4 ? x.permute({0, 2, 3, 1}) : x).reshape(-1).to(dtype);
}

class PassThroughFunction : public torch::autograd::Function<PassThroughFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& y, const at::Tensor& /*anchor*/,
                            const c10::intrusive_ptr<EdgeProbe>& probe) {
    ctx->saved_data["probe"] = c10::IValue::make_capsule(probe);
    return y;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* ctx,
                                               torch::autograd::tensor_list grads) {
    const auto probe = c10::static_intrusive_pointer_cast<EdgeProbe>(ctx->saved_data["probe"].toCapsule());
    probe->Fill(grads[0]);
    return {grads[0], at::Tensor(), at::Tensor()};
  }
};

}  // namespace

void EdgeProbe::Fill(const at::Tensor& gradient) {
  if (!gates.defined()) return;
  const at::NoGradGuard no_grad;
  const at::Tensor row = gates.select(0, edge);
  const at::ScalarType dtype = gates.scalar_type();
  const at::Tensor flat = Flat(gradient, dtype);
  for (auto& [op, output] : outputs) {
    row.select(0, op).add_(at::dot(Flat(output, dtype), flat));
    output.reset();
  }
  for (const auto& [op, run] : late) row.select(0, op).add_(at::dot(Flat(run(input), dtype), flat));
  outputs.clear();
  late.clear();
  input.reset();
}

at::Tensor PassThrough(const at::Tensor& y, const at::Tensor& anchor, c10::intrusive_ptr<EdgeProbe> probe) {
  return PassThroughFunction::apply(y, anchor, probe);
}

GateBuffer::GateBuffer(std::vector<int> ops, const at::TensorOptions& options) : ops_(std::move(ops)) {
  const int width = ops_.empty() ? 0 : *std::max_element(ops_.begin(), ops_.end());
  gates_ = at::zeros({static_cast<std::int64_t>(ops_.size()), width}, options);
}

std::vector<std::vector<double>> GateBuffer::ToHost() const {
  const at::Tensor host = gates_.to(at::kCPU).to(at::kDouble);
  const auto values = host.accessor<double, 2>();
  std::vector<std::vector<double>> rows(ops_.size());
  for (std::size_t e = 0; e < rows.size(); ++e) {
    for (int k = 0; k < ops_[e]; ++k) rows[e].push_back(values[static_cast<std::int64_t>(e)][k]);
  }
  return rows;
}

}  // namespace nas::detail
