// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "nas/nn/network.h"
#include "nas/nn/safetensors.h"
#include "nas/space/architecture.h"

namespace nas {

/// The same network for another number of classes: its last layer, a linear one, gets that width (proxyless.md N14).
/// Throws kInput when the last layer is not linear.
Architecture WithClasses(Architecture architecture, int classes);

/// Reads weights written by `search`, `train` or `export` into a network. Names, shapes and dtypes must agree; only the
/// classifier may have another shape where `may_differ_in_classifier`, and then keeps its fresh values.
/// Returns a sentence that says so, or "". Throws kInput naming the file and the first tensor that does not fit.
std::string LoadWeights(Network& network, const std::filesystem::path& path, bool may_differ_in_classifier);

/// Writes the network's tensors (or `tensors` in their place) with what a reader needs to use them: `nas.schema`
/// ("nas.weights/1"), `nas.arch` (our JSON form), and `facts`.
void WriteWeights(const std::filesystem::path& path, const Architecture& architecture, const NamedTensorList& tensors,
                  const std::map<std::string, std::string>& facts);

}  // namespace nas
