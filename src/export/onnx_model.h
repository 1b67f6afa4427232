// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graph.h"

namespace nas::detail {

inline constexpr char kOnnxInput[] = "images";   ///< [N, 3, R, R] float
inline constexpr char kOnnxOutput[] = "logits";  ///< [N, classes] float

/// The bytes of an ONNX file (ir_version 8, opset 17) with free batch size "N". `fp16`: weights and arithmetic in half
/// precision between casts, so that input and output stay float. Throws kInput from 2 GB on, which the format's
/// encoding cannot hold.
std::string EncodeOnnx(const Graph& graph, bool fp16, const std::vector<std::pair<std::string, std::string>>& metadata);

}  // namespace nas::detail
