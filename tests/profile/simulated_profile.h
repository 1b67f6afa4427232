// SPDX-License-Identifier: Apache-2.0
// Profiles of simulated devices: what the tests of this folder share.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "nas/core/log.h"
#include "nas/device/simulated_engine.h"
#include "nas/profile/profiler.h"

namespace nas::test {

inline const std::string& SpaceDir() {
  static const std::string dir = std::string(NAS_SOURCE_DIR) + "/search_spaces";
  return dir;
}

inline SearchSpace LoadSpace(const std::string& name) { return SearchSpace::Load(name, {}, {SpaceDir()}); }

/// Keeps warnings, which many of these tests provoke, off the console.
inline void Silence() {
  LogOptions options;
  options.console = LogLevel::kOff;
  ConfigureLog(options);
}

/// Hooks whose only engine is a simulated device, by the name "sim". The device may be changed between profiles.
struct SimulatedHooks {
  SimulatedDevice device;
  int opened = 0;
  ProfileHooks hooks;

  SimulatedHooks() {
    device.noise = 0.005;
    hooks.space_dirs = {SpaceDir()};
    hooks.engines = {{"sim", [this](const EngineOptions& options) -> std::unique_ptr<Engine> {
                        ++opened;
                        return std::make_unique<SimulatedEngine>(device, options);
                      }}};
  }
};

}  // namespace nas::test
