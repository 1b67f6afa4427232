// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace nas::detail {

/// Throws kUsage unless exactly one of --arch and --run is given, and --target only with --run.
void CheckNetworkSource(const std::string& arch, const std::string& run, const std::string& target);

}  // namespace nas::detail
