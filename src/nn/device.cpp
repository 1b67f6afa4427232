// SPDX-License-Identifier: Apache-2.0
#include "nas/nn/device.h"

#include <ATen/Parallel.h>
#include <torch/cuda.h>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

at::Device ResolveDevice(const std::string& name) {
  const int gpus = torch::cuda::is_available() ? static_cast<int>(torch::cuda::device_count()) : 0;
  if (name == "cpu") return at::kCPU;
  if (name == "auto") return gpus > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  long long index = 0;
  const bool numbered = StartsWith(name, "cuda:") && ParseInt(name.substr(5), &index) && index >= 0;
  if (name != "cuda" && !numbered) {
    ThrowUsage(StrCat("device \"", name, "\" is not known; auto, cpu, cuda and cuda:<number> are possible"));
  }
  if (index >= gpus) {
    throw Error(ErrorKind::kUnavailable, StrCat("device \"", name, "\" is not there: this LibTorch sees ", gpus,
                                                " GPUs; use --device cpu or auto"));
  }
  return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index));
}

ThreadScope::ThreadScope(int threads) : before_(at::get_num_threads()) { at::set_num_threads(threads); }

ThreadScope::~ThreadScope() { at::set_num_threads(before_); }

}  // namespace nas
