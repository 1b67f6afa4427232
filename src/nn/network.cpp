// SPDX-License-Identifier: Apache-2.0
#include "nas/nn/network.h"

#include <ATen/ATen.h>

#include "dropout.h"
#include "nas/core/error.h"
#include "nas/core/hash.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "nas/nn/state_dict.h"
#include "network_impl.h"
#include "tensor_list.h"
#include "weight_init.h"

namespace nas {
namespace {

class DropoutSeeder final : public detail::ModuleVisitor {
 public:
  explicit DropoutSeeder(std::uint64_t seed) : seed_(seed) {}
  void VisitTensor(const std::string&, at::Tensor&, detail::TensorRole) override {}
  void VisitDropout(const std::string& /*name*/, detail::Dropout& dropout) override {
    dropout.Seed(MixSeed(seed_, ++index_));
  }

 private:
  std::uint64_t seed_;
  std::uint64_t index_ = 0;
};

}  // namespace

Network::Impl::Impl(const Architecture& arch) : architecture(arch) {
  InferShapes(arch);  // refuses layers that do not fit, before any tensor is made
  for (const Layer& layer : arch.layers) {
    blocks.emplace_back(layer, arch.bn);
    prefixes.push_back(StateDictPrefix(arch.family, layer));
  }
  CollectTensors();
}

void Network::Impl::Visit(detail::ModuleVisitor& visitor) {
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i].op().Visit(prefixes[i], visitor);
}

void Network::Impl::CollectTensors() {
  tensors.clear();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    detail::Append(&tensors, detail::CollectTensors(blocks[i].op(), prefixes[i]));
  }
}

void Network::Impl::Fold() {
  for (detail::Block& block : blocks) block.op().FoldBatchNorm();
  folded = true;
  CollectTensors();
}

Network::Network() = default;
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

Network::Network(const Architecture& architecture, std::uint64_t seed, KernelMode kernels)
    : impl_(std::make_unique<Impl>(architecture)) {
  for (detail::Block& block : impl_->blocks) detail::SetKernelMode(block.op(), kernels);
  detail::InitializeTensors(impl_->tensors, seed);
  detail::RequireGradients(impl_->tensors);
  SeedDropout(seed);
}

const Architecture& Network::architecture() const { return impl_->architecture; }

at::Tensor Network::Forward(const at::Tensor& images, BnMode mode) {
  const at::Tensor x = images.contiguous(at::MemoryFormat::ChannelsLast);
  return ForwardLayers(x, 0, static_cast<int>(impl_->blocks.size()), mode);
}

at::Tensor Network::ForwardLayers(const at::Tensor& x, int first, int last, BnMode mode) {
  at::Tensor y = x;
  for (int i = first; i < last; ++i) y = impl_->blocks[i].Forward(y, mode);
  return y;
}

void Network::SeedDropout(std::uint64_t seed) {
  DropoutSeeder seeder(seed);
  impl_->Visit(seeder);
}

void Network::To(const at::Device& device) { detail::MoveTensors(impl_->tensors, device); }
void Network::To(at::ScalarType dtype) { detail::ConvertTensors(impl_->tensors, dtype); }

std::vector<std::pair<std::string, at::Tensor>> Network::NamedParameters() const {
  return detail::ToPairs(impl_->tensors, /*trained_only=*/true);
}

std::vector<PathTensor> Network::PathTensors() const {
  std::vector<PathTensor> path;
  detail::AppendPath(&path, impl_->tensors, -1, -1);
  return path;
}

std::vector<std::pair<std::string, at::Tensor>> Network::NamedTensors() const {
  return detail::ToPairs(impl_->tensors, /*trained_only=*/false);
}

void Network::Load(const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  detail::LoadTensors(impl_->tensors, tensors);
}

Network Network::Folded() const {
  Network copy;
  copy.impl_ = std::make_unique<Impl>(impl_->architecture);
  for (const detail::NamedTensor& named : impl_->tensors) {
    if (named.role == detail::TensorRole::kCounter) continue;
    copy.To(named.tensor.device());
    copy.To(named.tensor.scalar_type());
    break;
  }
  if (impl_->folded) copy.impl_->Fold();  // gives the copy the same tensors
  detail::CopyTensors(impl_->tensors, copy.impl_->tensors);
  if (!impl_->folded) copy.impl_->Fold();
  return copy;
}

}  // namespace nas
