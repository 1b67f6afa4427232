// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/core/progress.h"

namespace nas::detail {

/// One line for a terminal of `columns` columns; it never reaches the last one, so that the cursor stays on the line.
std::string ProgressBarText(const ProgressState& state, int columns, bool color);
/// One line for a file or a pipe, without the newline.
std::string ProgressPlainText(const ProgressState& state);
/// One JSON object on one line, without the newline.
std::string ProgressJsonText(const ProgressState& state);

/// Lets an event pass at most once per interval. Time is an argument, in seconds.
class RateLimiter {
 public:
  explicit RateLimiter(double interval_s) : interval_s_(interval_s) {}
  bool Pass(double now_s) {
    if (passed_ && now_s - last_s_ < interval_s_) return false;
    passed_ = true;
    last_s_ = now_s;
    return true;
  }
  /// The next event passes.
  void Reset() { passed_ = false; }

 private:
  double interval_s_;
  double last_s_ = 0;
  bool passed_ = false;
};

}  // namespace nas::detail
