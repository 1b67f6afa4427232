// SPDX-License-Identifier: Apache-2.0
#include "network_source.h"

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/run_folder.h"
#include "nas/core/text.h"

namespace nas::detail {

NetworkSource ReadNetworkSource(const std::string& arch, const std::string& run, const std::string& target) {
  NetworkSource source;
  if (run.empty()) {
    source.architecture = LoadArchitecture(arch);
    return source;
  }
  source.is_run = true;
  const std::filesystem::path folder = RunFolder::NetworkFolder(run, target);
  source.architecture = LoadArchitecture((folder / "arch.json").string());
  source.weights = folder / "weights.safetensors";
  // A training records what its data came to be, a search only what was asked.
  const Json config = RunFolder::ReadConfig(run);
  for (const char* part : {"options", "plan"}) {
    if (!config.contains(part) || !config[part].is_object()) continue;
    source.data = config[part].value("data", source.data);
    source.data_seed = config[part].value("seed", source.data_seed);
  }
  if (source.data.empty()) {
    ThrowInput(StrCat((std::filesystem::path(run) / "config.json").string(),
                      " does not say what data the run had; give --data"));
  }
  return source;
}

}  // namespace nas::detail
