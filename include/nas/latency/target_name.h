// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nas {

/// What a target name stands for (latency.md §6).
struct TargetPlace {
  enum class Kind {
    kTable,   ///< the table file at `path`
    kOwnCpu,  ///< this machine's CPU: its own profile, made on first use
    kOwnGpu,  ///< this machine's GPU likewise, else the table at `path`
  };
  Kind kind = Kind::kTable;
  std::string path;  ///< table file; of kOwnGpu the stand-in where there is no GPU
};

/// Resolves in the order: existing path (contains '/' or ends in ".json") → cached table → shipped table → alias
/// (`cpu`, `gpu`, `mobile`, `note10`, `pixel1`, `pixel4`). Throws kInput with the nearest known name.
TargetPlace ResolveTargetName(const std::string& name, const std::string& cache_dir,
                              const std::vector<std::string>& table_dirs);

/// `cpu`, `gpu`, `mobile`, …: names that no table may take; also `macs` and `params`.
const std::vector<std::string>& TargetAliases();

/// All names that resolve: cached, shipped, aliases; sorted within each, without duplicates.
std::vector<std::string> KnownTargets(const std::string& cache_dir, const std::vector<std::string>& table_dirs);

}  // namespace nas
