// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "nas/search/arch_parameters.h"
#include "nas/space/search_space.h"

namespace nas {

/// The collapse alarm of one target at an epoch's end (N11): one sentence when the search has run into "skip
/// everything" or has made up its mind too early, else nullopt. t = architecture updates done / all; `entropy_test`
/// from the schedule (short searches decide fast by design).
std::optional<std::string> CheckCollapse(const SearchSpace& space, const ArchParameters& alphas, double t,
                                         bool entropy_test);

}  // namespace nas
