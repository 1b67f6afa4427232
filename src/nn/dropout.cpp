// SPDX-License-Identifier: Apache-2.0
#include "dropout.h"

#include <vector>

#include <ATen/ATen.h>

#include "nas/core/rng.h"

namespace nas::detail {

at::Tensor Dropout::Forward(const at::Tensor& x, BnMode mode) {
  if (rate_ <= 0 || mode != BnMode::kTrain) return x;
  std::vector<std::int64_t> shape = x.sizes().vec();
  const std::size_t kept = unit_ == DropUnit::kElement ? shape.size() : unit_ == DropUnit::kChannel ? 2 : 1;
  for (std::size_t d = kept; d < shape.size(); ++d) shape[d] = 1;
  at::Generator generator = at::globalContext().defaultGenerator(x.device()).clone();
  generator.set_current_seed(MixSeed(seed_, ++forwards_));
  const double keep = 1 - rate_;
  at::Tensor mask = at::empty(shape, x.options().requires_grad(false));
  mask.bernoulli_(keep, generator).div_(keep);
  return x * mask;
}

void Dropout::Visit(const std::string& name, ModuleVisitor& visitor) { visitor.VisitDropout(name, *this); }

void Dropout::Seed(std::uint64_t seed) {
  seed_ = seed;
  forwards_ = 0;
}

}  // namespace nas::detail
