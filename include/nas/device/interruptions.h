// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace nas {

/// Milliseconds on the steady clock, for differences.
inline double SteadyMs() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// How often the scheduler has taken the core away from this thread.
long Interruptions();

/// What `call` returns, called again (up to three times) while the scheduler got in the way.
template <typename Call>
double TimeUninterrupted(const Call& call) {
  constexpr int kMostRepeats = 3;
  for (int i = 0;; ++i) {
    const long before = Interruptions();
    const double ms = call();
    if (i == kMostRepeats || Interruptions() == before) return ms;
  }
}

}  // namespace nas
