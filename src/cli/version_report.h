// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "session.h"

namespace nas::cli {

/// Prints nas's version and those of the libraries given, on top of the torch-free ones.
int PrintVersion(const std::vector<std::pair<std::string, std::string>>& more, const Session& session);

}  // namespace nas::cli
