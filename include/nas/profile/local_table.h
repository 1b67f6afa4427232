// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "nas/device/item_result.h"
#include "nas/profile/profiler.h"
#include "nas/space/search_space.h"

namespace nas {

/// Which device of this machine is meant by `cpu`, and what may be done to know it.
struct LocalTableOptions {
  std::string engine = "libtorch";
  std::string device = "cpu";
  int threads = 1;
  int batch = 1;            ///< images per forward call
  bool no_profile = false;  ///< only what is cached; nothing is measured
  std::uint64_t seed = 0;
};

/// `<cache>/latency/<id>.json`.
std::string LocalTablePath(const std::string& cache_dir, const std::string& id);

/// The own profile of this machine for a space (target `cpu`, latency.md §6): the cached one; keys of the space that it
/// lacks are measured in a new run after a look at the reference (more than 3 % off: profiled again); without one a
/// quick profile is made. Written atomically under a lock, so that a second process waits. A noisy machine widens the
/// intervals and is told in the log. Throws kUnavailable when nothing is cached and `no_profile` is set.
LatencyTable GetLocalTable(const SearchSpace& space, const std::string& cache_dir, const LocalTableOptions& options,
                           const ProfileHooks& hooks);

/// Whether a table describes this machine as the engine runs it now; the differences go to `why` when given.
bool IsLocalTable(const LatencyTable& table, const LocalTableOptions& options, const ProfileHooks& hooks,
                  std::string* why);

/// A network's latency on this machine now (proxyless.md N13), measured by the table's protocol and set in proportion
/// to the table's reference network, so that it can be compared with the table's figures on a machine whose speed
/// drifts.
ItemResult MeasureNetwork(const Architecture& architecture, const LatencyTable& table, const LocalTableOptions& options,
                          const ProfileHooks& hooks);

}  // namespace nas
