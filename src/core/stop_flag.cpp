// SPDX-License-Identifier: Apache-2.0
#include "nas/core/stop_flag.h"

#include <signal.h>
#include <unistd.h>

namespace nas {

namespace {

// Handlers have no other way to their data.
std::atomic<StopFlag*> g_flag{nullptr};
std::atomic<bool> g_interrupted{false};
static_assert(std::atomic<StopFlag*>::is_always_lock_free);

extern "C" void HandleStopSignal(int signal) {
  constexpr int kInterruptedExit = 130;
  if (signal == SIGINT && g_interrupted.exchange(true)) ::_exit(kInterruptedExit);
  if (StopFlag* flag = g_flag.load()) flag->Request();
}

}  // namespace

void InstallStopSignals(StopFlag* flag) {
  g_flag.store(flag);
  g_interrupted.store(false);
  struct sigaction action {};
  action.sa_handler = HandleStopSignal;
  action.sa_flags = SA_RESTART;  // a read in progress goes on; only the loops that look at the flag stop
  sigemptyset(&action.sa_mask);
  for (int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) ::sigaction(signal, &action, nullptr);
}

}  // namespace nas
