// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "backend.h"

namespace nas::agent {

/// A block computed by a backend and by plain loops.
struct SelfTestCase {
  std::string backend;
  std::string key;
  double error = 0;  ///< greatest difference over the greatest value
  bool passed = false;
};

/// Every operation of every backend against plain loops: at most 1e-4 apart (latency.md §8).
std::vector<SelfTestCase> RunSelfTest(const std::vector<Backend>& backends, int threads);

}  // namespace nas::agent
