// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "nas/export/passport.h"

namespace nas::cli {

/// What the folder of a run says about one of its networks.
struct RunFacts {
  std::filesystem::path folder;  ///< with arch.json and weights.safetensors
  std::string data;              ///< spec of the run's data
  std::string data_listing;      ///< hash of its names and sizes, "" = not recorded
  std::uint64_t seed = 0;
  std::string config_hash;
  std::vector<PassportMetric> metrics;  ///< none while the run is unfinished
};

/// Throws kInput when the folder is no run's or has no such network, naming those that there are.
RunFacts ReadRunFacts(const std::string& run, const std::string& target);

}  // namespace nas::cli
