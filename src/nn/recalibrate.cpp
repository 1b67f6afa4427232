// SPDX-License-Identifier: Apache-2.0
#include "nas/nn/recalibrate.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "batch_norm.h"
#include "network_impl.h"

namespace nas {
namespace {

class NormCollector final : public detail::ModuleVisitor {
 public:
  void VisitTensor(const std::string&, at::Tensor&, detail::TensorRole) override {}
  void VisitBatchNorm(const std::string& /*name*/, detail::BatchNorm& norm) override { norms.push_back(&norm); }
  std::vector<detail::BatchNorm*> norms;
};

}  // namespace

std::int64_t RecalibrateBatchNorm(Network& network, const std::function<bool(at::Tensor* images)>& next_batch) {
  NormCollector collector;
  network.impl_->Visit(collector);
  const at::NoGradGuard no_grad;
  for (detail::BatchNorm* norm : collector.norms) norm->BeginPooling();
  std::int64_t used = 0;
  at::Tensor images;
  while (next_batch(&images)) {
    network.Forward(images, BnMode::kAccumulate);
    used += images.size(0);
  }
  for (detail::BatchNorm* norm : collector.norms) norm->FinishPooling();
  return used;
}

}  // namespace nas
