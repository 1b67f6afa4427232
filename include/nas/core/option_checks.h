// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nas {

/// Throws kUsage naming flag and value with the nearest legal word.
void CheckChoice(const std::string& flag, const std::string& value, const std::vector<std::string>& choices);

/// Throws kUsage naming flag, value and range unless low ≤ value ≤ high (NaN fails).
void CheckRange(const std::string& flag, double value, double low, double high);

}  // namespace nas
