// SPDX-License-Identifier: Apache-2.0
// Stands in for a header of gloo, which LibTorch holds but does not ship: only what ProcessGroupGloo.hpp names.
#pragma once

#include <chrono>

#include "gloo/transport/device.h"

namespace gloo {
class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};
}  // namespace gloo
