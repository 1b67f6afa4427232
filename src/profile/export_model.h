// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/device/engine.h"

namespace nas::detail {

/// Writes the ONNX file of an item's network, or of the network that its keys stand for, into a folder by
/// `nas export` with random weights. `program`: the `nas` to run. Throws kUnavailable when it cannot export, kInput
/// for an item that no network stands for.
std::string ExportOnnx(const MeasureItem& item, const std::string& folder, const std::string& program);

}  // namespace nas::detail
