// SPDX-License-Identifier: Apache-2.0
#include "graph.h"

namespace nas::detail {

at::Tensor Graph::Tensor(const GraphNode& node, std::string_view part) const {
  const auto found = tensors.find(node.name + "." + std::string(part));
  return found == tensors.end() ? at::Tensor() : found->second;
}

}  // namespace nas::detail
