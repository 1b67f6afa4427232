// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/device/engine.h"

namespace nas::detail {

/// What is copied to a device: the agent program, and where it needs them its libraries and their loader.
struct AgentBundle {
  std::vector<std::string> files;  ///< paths on this machine, sorted
  std::string hash;                ///< 16 hex digits over names and contents
  std::string start;               ///< words of a shell that start it in its folder
};

/// The bundle for a machine as `uname -m` names it. Throws kUnavailable when there is none.
AgentBundle FindBundle(const AgentPlaces& places, const std::string& machine);

}  // namespace nas::detail
