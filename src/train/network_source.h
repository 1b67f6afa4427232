// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "nas/space/architecture.h"

namespace nas::detail {

/// Where `train` and `eval` take a network from: a file, or the folder of a run with what it was made on.
struct NetworkSource {
  Architecture architecture;
  std::filesystem::path weights;  ///< of the run's network; empty for a file
  std::string data;               ///< --data of the run; empty for a file
  std::uint64_t data_seed = 0;    ///< seed of the run's splits
  bool is_run = false;
};

/// Throws kInput when the file or the run's network cannot be read, naming the targets that the run has.
NetworkSource ReadNetworkSource(const std::string& arch, const std::string& run, const std::string& target);

}  // namespace nas::detail
