// SPDX-License-Identifier: Apache-2.0
// A program that uses fmt from LibTorch's headers and the log with its own fmt; ctest compares what it prints.
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "nas/core/log.h"

int main() {
  static_assert(FMT_VERSION >= 100000, "this program is meant to see the fmt of LibTorch, not the system's");
  nas::LogWarning("{} log " + std::to_string(at::ones({3}).sum().item<int>()));
  const std::string text = fmt::format("formatted {:.2f}\n", 1.5);
  std::fputs(text.c_str(), stderr);
  return 0;
}
