// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

#include "nas/nn/bn_mode.h"
#include "op_module.h"

namespace nas::detail {

/// What one draw keeps or drops.
enum class DropUnit {
  kElement,  ///< a number (before a linear layer)
  kChannel,  ///< a channel of an image (before a conv)
  kImage,    ///< the whole map of an image (a branch of a tree: stochastic depth)
};

/// Zeroes units at a rate in kTrain mode and scales the rest by 1/(1 − rate); passes on in every other mode. Masks come
/// from a generator of its own, seeded from (seed, number of forwards since): no global state, and a resumed run
/// repeats them.
class Dropout {
 public:
  Dropout(double rate, DropUnit unit) : rate_(rate), unit_(unit) {}

  at::Tensor Forward(const at::Tensor& x, BnMode mode);
  void Visit(const std::string& name, ModuleVisitor& visitor);
  void Seed(std::uint64_t seed);

 private:
  double rate_;
  DropUnit unit_;
  std::uint64_t seed_ = 0;
  std::uint64_t forwards_ = 0;
};

}  // namespace nas::detail
