// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/core/json.h"
#include "nas/device/affinity.h"

namespace nas {

/// What an engine says of itself and of its setting, for the identity of a device (latency.md §8).
struct EngineSetting {
  CoreMask cores = 0;
  int threads = 1;
  int batch = 1;
  std::string precision = "fp32";
  std::string engine;
  std::string version;
  std::string build;
};

/// Identity of this machine's CPU as an engine in this process, or one started by it, measures it: everything that a
/// table must agree with. Unknown facts are "unknown".
Json LocalCpuIdentity(const EngineSetting& setting);

}  // namespace nas
