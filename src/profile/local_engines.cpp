// SPDX-License-Identifier: Apache-2.0
#include "nas/profile/local_engines.h"

#include "libtorch_engine.h"

namespace nas {

const std::vector<EngineEntry>& LocalEngines() {
  static const std::vector<EngineEntry> engines = [] {
    std::vector<EngineEntry> all;
    all.push_back({"libtorch", [](const EngineOptions& options) -> std::unique_ptr<Engine> {
                     return std::make_unique<detail::LibTorchEngine>(options);
                   }});
    all.insert(all.end(), BuiltinEngines().begin(), BuiltinEngines().end());
    return all;
  }();
  return engines;
}

}  // namespace nas
