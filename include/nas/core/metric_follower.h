// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "nas/core/json.h"

namespace nas {

/// Follows a run's metrics.jsonl while it is written, to keep another form of it (TensorBoard events). The file is the
/// truth: a follower can start anew from it at any time.
class MetricFollower {
 public:
  virtual ~MetricFollower() = default;
  /// The file may hold lines already, and may have lost some at its end: start anew from what it holds.
  virtual void Restart(const std::filesystem::path& run_folder) = 0;
  /// One line has been appended.
  virtual void Append(const Json& line) = 0;
};

}  // namespace nas
