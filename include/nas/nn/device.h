// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <ATen/core/Tensor.h>

namespace nas {

/// `auto`, `cpu`, `cuda`, `cuda:1` → a device; the only place that asks whether there is a GPU. auto = the first GPU,
/// else the CPU. Throws kUsage for other words, kUnavailable when the GPU is not there.
at::Device ResolveDevice(const std::string& name);

/// Number of threads of LibTorch for the lifetime of the object (process-global, so set once per phase).
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int before_;
};

}  // namespace nas
