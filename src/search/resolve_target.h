// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/search/search_setup.h"

namespace nas {

/// The cost table and budget of one request. Latency targets: the run's own frozen table where it goes on, else the
/// table that the name resolves to (latency.md §6), which for `cpu` and `gpu` is measured on first use. Throws kInput
/// for unknown names, kUnavailable when measuring is forbidden or impossible.
SearchTarget ResolveSearchTarget(const TargetRequest& request, const SearchSpace& space, const SearchOptions& options,
                                 const SearchPlaces& places, const SearchHooks& hooks,
                                 const std::string& frozen_tables);

}  // namespace nas
