// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace nas {

/// The wish to stop, set by a signal handler or another thread and asked for once per step by long work, which then
/// finishes the step, writes a checkpoint and throws kCheckpointed.
class StopFlag {
 public:
  void Request() noexcept { requested_.store(true, std::memory_order_relaxed); }  ///< safe inside a signal handler
  bool requested() const noexcept { return requested_.load(std::memory_order_relaxed); }

 private:
  static_assert(std::atomic<bool>::is_always_lock_free);
  std::atomic<bool> requested_{false};
};

/// From now on SIGINT and SIGTERM, and the SIGUSR1 and SIGUSR2 that batch systems send ahead of a time limit, set the
/// flag; a second SIGINT ends the process at once with 130. For the program's entry alone; the flag must live as long
/// as the process.
void InstallStopSignals(StopFlag* flag);

}  // namespace nas
