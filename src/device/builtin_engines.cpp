// SPDX-License-Identifier: Apache-2.0
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/device/engine.h"
#include "nas/device/simulated_engine.h"

namespace nas {

const std::vector<EngineEntry>& BuiltinEngines() {
  static const std::vector<EngineEntry> engines{
      {"simulated",
       [](const EngineOptions& options) -> std::unique_ptr<Engine> {
         SimulatedDevice device;
         device.noise = 0.01;
         device.seed = options.seed + 1;
         return std::make_unique<SimulatedEngine>(device, options);
       }},
  };
  return engines;
}

const EngineEntry& FindEngine(const std::vector<EngineEntry>& engines, const std::string& name) {
  std::vector<std::string> names;
  for (const EngineEntry& entry : engines) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  ThrowUsage(StrCat("--engine \"", name, "\" is not known", DidYouMean(name, names)));
}

}  // namespace nas
