// SPDX-License-Identifier: Apache-2.0
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/device/agent_engine.h"
#include "nas/device/command_engine.h"
#include "nas/device/engine.h"
#include "nas/device/simulated_engine.h"

namespace nas {
namespace {

// An engine that `nas-agent` has.
EngineEntry OfAgent(const std::string& name) {
  return {name, [name](const EngineOptions& options) -> std::unique_ptr<Engine> {
            return std::make_unique<AgentEngine>(MakeTransport(options.transport, options.agent), name, options);
          }};
}

}  // namespace

const std::vector<EngineEntry>& BuiltinEngines() {
  static const std::vector<EngineEntry> engines{
      OfAgent("xnnpack"),
      OfAgent("plain"),
      {"command",
       [](const EngineOptions& options) -> std::unique_ptr<Engine> {
         return std::make_unique<CommandEngine>(options);
       }},
      {"simulated",
       [](const EngineOptions& options) -> std::unique_ptr<Engine> {
         if (options.transport != "local") return OfAgent("simulated").make(options);
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
