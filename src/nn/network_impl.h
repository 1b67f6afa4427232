// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "block.h"
#include "nas/nn/network.h"
#include "tensor_list.h"

namespace nas {

struct Network::Impl {
  /// Tensors are allocated, not set.
  explicit Impl(const Architecture& arch);

  void Visit(detail::ModuleVisitor& visitor);
  void CollectTensors();
  void Fold();

  Architecture architecture;
  std::vector<detail::Block> blocks;         ///< one per layer
  std::vector<std::string> prefixes;         ///< state-dict prefix of each layer
  std::vector<detail::NamedTensor> tensors;  ///< all of them, in network order
  bool folded = false;
};

}  // namespace nas
