// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "graph.h"

namespace nas::detail {

/// The method `forward(self, images)` of a TorchScript module whose tensors stand under their state-dict names and that
/// has a bool `training`: BN normalises by its batch while that is set. Batch size and resolution are free.
std::string TorchscriptForward(const Graph& graph);

}  // namespace nas::detail
