// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flag_set.h"
#include "nas/space/search_space.h"
#include "session.h"

namespace nas::cli {

/// Which search space, and what is changed of it.
struct SpaceFlags {
  std::string space;
  SpaceOptions options;

  void AddTo(FlagSet& flags);
  /// Throws kUsage without --space; kInput for unknown names and bad files.
  SearchSpace Load(const Session& session) const;
  std::optional<SearchSpace> LoadIfGiven(const Session& session) const;
};

/// Architectures from what a user names them by: a file in any JSON form (also JSON Lines), `-` for the same on stdin,
/// a run folder's target, or a digit code of the space. In order. Throws kInput naming what was given.
std::vector<Architecture> ReadArchitectures(const std::vector<std::string>& given, const SearchSpace* space);
Architecture ReadArchitecture(const std::string& given, const SearchSpace* space);

}  // namespace nas::cli
