// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <ATen/core/Tensor.h>

namespace nas::detail {

struct OnnxRun {
  at::Tensor logits;  ///< [N, classes], all images in one batch
  /// Largest difference of the first images run one by one and in a batch of seven from the same in one large batch.
  double batch_difference = 0;
  std::string how;    ///< versions and batch sizes
  std::string fault;  ///< what the checker or the runtime refused, "" = ran
};

/// Runs an ONNX file in ONNX Runtime through a Python interpreter, after a full check by `onnx` where that is there.
/// Throws kUnavailable when there is no interpreter or it has no ONNX Runtime, naming the remedy.
OnnxRun RunOnnx(const std::filesystem::path& model, const at::Tensor& images, const std::string& python);

}  // namespace nas::detail
