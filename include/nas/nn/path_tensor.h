// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

namespace nas {

/// A tensor that a forward in kTrain mode reads or moves, for those who share steps between processes.
struct PathTensor {
  enum class Kind : std::uint8_t {
    kTrained,  ///< gets a gradient
    kRunning,  ///< BN running mean or variance
    kCounter,  ///< num_batches_tracked, int64 on the CPU
  };
  std::string name;
  at::Tensor tensor;
  Kind kind = Kind::kTrained;
  int edge = -1;  ///< of a supernet; −1 = a fixed layer
  int op = -1;
};

}  // namespace nas
