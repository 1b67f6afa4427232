// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace nas::cli {

/// Times of one MBConv block's training step, fused and with LibTorch's ops, in pairs.
struct MbconvTimes {
  std::string name;              ///< `kernel.mbconv.n64_c32_192_32_r32_k5_s1`
  std::vector<double> fused_ms;  ///< forward and backward
  std::vector<double> torch_ms;
};

/// Names of the blocks that can be timed.
std::vector<std::string> MbconvBenchNames();

/// The wanted ones, `iters` pairs each after a warm-up.
std::vector<MbconvTimes> MeasureMbconv(const std::function<bool(const std::string& name)>& wanted, int iters);

}  // namespace nas::cli
