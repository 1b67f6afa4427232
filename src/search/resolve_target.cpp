// SPDX-License-Identifier: Apache-2.0
#include "resolve_target.h"

#include <filesystem>

#include <torch/cuda.h>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/core/text.h"
#include "nas/latency/latency_model.h"
#include "nas/latency/latency_table.h"
#include "nas/latency/target_name.h"
#include "nas/profile/local_engines.h"
#include "nas/profile/local_table.h"

namespace nas {
namespace {

constexpr int kGpuBatch = 64;  // latency.md §6

LocalTableOptions LocalOptions(const std::string& device, const SearchOptions& options) {
  LocalTableOptions local;
  local.device = device;
  local.threads = 1;
  local.batch = options.latency_batch > 0 ? options.latency_batch : device == "cpu" ? 1 : kGpuBatch;
  local.no_profile = options.no_profile;
  local.seed = options.seed;
  return local;
}

/// The table of a latency target, and how to measure a network on the same device where that is this machine.
struct Found {
  LatencyTable table;
  std::optional<LocalTableOptions> local;
};

/// `local` where the table is of this very machine as it is now, so that networks can be measured here, too.
std::optional<LocalTableOptions> IfLocal(const LatencyTable& table, const LocalTableOptions& local,
                                         const ProfileHooks& hooks) {
  std::string why;
  return IsLocalTable(table, local, hooks, &why) ? std::optional(local) : std::nullopt;
}

Found FindTable(const TargetRequest& request, const SearchSpace& space, const SearchOptions& options,
                const SearchPlaces& places, const ProfileHooks& hooks, const std::string& frozen) {
  std::error_code ignored;
  if (!frozen.empty() && std::filesystem::exists(frozen, ignored)) {
    // A job may go on on another machine than the table is of.
    Found found{LoadTable(frozen), std::nullopt};
    found.local = IfLocal(found.table, LocalOptions("cpu", options), hooks);
    return found;
  }
  const TargetPlace place = ResolveTargetName(request.name, places.cache_dir, places.table_dirs);
  if (place.kind == TargetPlace::Kind::kOwnCpu ||
      (place.kind == TargetPlace::Kind::kOwnGpu && torch::cuda::is_available())) {
    const LocalTableOptions local = LocalOptions(place.kind == TargetPlace::Kind::kOwnCpu ? "cpu" : "cuda", options);
    return {GetLocalTable(space, places.cache_dir, local, hooks), local};
  }
  if (place.path.empty()) {
    throw Error(ErrorKind::kUnavailable,
                "there is no GPU here and no table that stands in for one; give --target a table file");
  }
  if (place.kind == TargetPlace::Kind::kOwnGpu) {
    LogWarning(
        StrCat("there is no GPU here: target gpu means the table ", std::filesystem::path(place.path).stem().string()));
  }
  Found found{LoadTable(place.path), std::nullopt};
  if (found.table.recorded.emulated && !options.force) {
    ThrowInput(StrCat(
        place.path, " was measured under emulation: its times mean nothing; measure the real device, or give --force"));
  }
  found.local = IfLocal(found.table, LocalOptions("cpu", options), hooks);
  return found;
}

}  // namespace

SearchTarget ResolveSearchTarget(const TargetRequest& request, const SearchSpace& space, const SearchOptions& options,
                                 const SearchPlaces& places, const SearchHooks& hooks,
                                 const std::string& frozen_tables) {
  SearchTarget target;
  target.request = request;
  target.folder = TargetFolder(request);
  if (request.is_count()) {
    target.table = request.name == "macs" ? MacsCostTable(space) : ParamsCostTable(space);
  } else {
    ProfileHooks profile;
    profile.engines = LocalEngines();
    profile.space_dirs = places.space_dirs;
    profile.progress = hooks.progress;
    profile.stop = hooks.stop;
    const std::string frozen = frozen_tables.empty() ? "" : frozen_tables + "/targets/" + target.folder + "/table.json";
    const Found found = FindTable(request, space, options, places, profile, frozen);
    target.model = std::make_shared<LatencyModel>(found.table);
    target.table = target.model->Compile(space);
    target.table.target = request.name;
    target.table_text = TableToText(found.table);
    if (found.local) {
      target.measure = [table = found.table, local = *found.local, profile](const Architecture& architecture) {
        return MeasureNetwork(architecture, table, local, profile).median;
      };
    }
  }
  target.budget = ResolveBudget(request, target.table);
  return target;
}

}  // namespace nas
