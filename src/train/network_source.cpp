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
  const Json config = RunFolder::ReadConfig(run);
  try {
    source.data = config.at("plan").value("data", "");
  } catch (const Json::exception&) {
    source.data.clear();
  }
  try {
    const Json& options = config.at("options");
    if (source.data.empty()) source.data = options.at("data").get<std::string>();
    source.data_seed = options.at("seed").get<std::uint64_t>();
  } catch (const Json::exception&) {
    ThrowInput(StrCat((std::filesystem::path(run) / "config.json").string(),
                      " does not say the data and the seed of the run"));
  }
  return source;
}

}  // namespace nas::detail
