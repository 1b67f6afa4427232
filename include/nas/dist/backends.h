// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nas {

/// What several processes of this program can use to sum and gather.
struct BackendState {
  std::string name;    ///< "Gloo", "NCCL"
  bool there = false;  ///< can be used on this machine
  std::string detail;
  std::string remedy;  ///< "" = nothing to do
};

/// Tried, not guessed: a backend of which there is code may still find no address to use.
std::vector<BackendState> FindBackends();

}  // namespace nas
