// SPDX-License-Identifier: Apache-2.0
#include "target_flags.h"

#include <algorithm>
#include <filesystem>

#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/text.h"
#include "nas/latency/target_name.h"

namespace nas::cli {
namespace {

/// Own profiles of this machine in the cache, newest first. Which one is this machine's now is told by LibTorch's
/// engine; a program without it takes the newest and says so.
std::string NewestOwnTable(const std::string& cache_dir) {
  namespace fs = std::filesystem;
  std::string newest;
  fs::file_time_type newest_time{};
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(cache_dir) / "latency", ignored)) {
    if (entry.path().extension() != ".json") continue;
    const fs::file_time_type time = entry.last_write_time(ignored);
    if (newest.empty() || time > newest_time) {
      newest = entry.path().string();
      newest_time = time;
    }
  }
  return newest;
}

}  // namespace

LatencyTable LoadTargetTable(const std::string& target, const Session& session) {
  const TargetPlace place = ResolveTargetName(target, session.cache_dir, session.table_dirs);
  if (place.kind == TargetPlace::Kind::kOwnCpu) {
    const std::string own = NewestOwnTable(session.cache_dir);
    if (own.empty()) {
      throw Error(ErrorKind::kUnavailable,
                  "this machine has no profile yet; make one with: nas profile-device --out cpu.json, or run a search "
                  "with --target cpu");
    }
    return LoadTable(own);
  }
  if (place.path.empty()) throw Error(ErrorKind::kUnavailable, "there is no table for target gpu; give a table file");
  if (place.kind == TargetPlace::Kind::kOwnGpu) {
    LogWarning(StrCat("target gpu means the table ", std::filesystem::path(place.path).stem().string(), " here"));
  }
  return LoadTable(place.path);
}

CostTable LoadCostTable(const std::string& target, const SearchSpace& space, const Session& session) {
  if (target == "macs") return MacsCostTable(space);
  if (target == "params") return ParamsCostTable(space);
  return LatencyModel(LoadTargetTable(target, session)).Compile(space);
}

}  // namespace nas::cli
