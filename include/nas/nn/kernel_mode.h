// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nas {

/// What computes MBConv blocks in training.
enum class KernelMode {
  kAuto,   ///< fused where that is known to be faster
  kFused,  ///< fused wherever it is possible: on a CPU, float32, no squeeze-and-excitation, ReLU, ReLU6 or hard-swish
  kTorch,  ///< LibTorch's ops
};

/// `auto`, `fused`, `torch`.
std::string_view ToString(KernelMode mode);
/// Throws kUsage with the legal words.
KernelMode ParseKernelMode(const std::string& word);

}  // namespace nas
