// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/cancel.h"

#include <signal.h>

#include <chrono>
#include <thread>

#include <nlohmann/json.hpp>

#include "nas/cluster/run_journal.h"
#include "nas/core/text.h"

namespace nas {
namespace {

bool InBatchJob(const RunStatus& status) { return status.queue.has_value(); }

bool Runs(const RunStatus& status) {
  return status.state == "running" || status.state == "stalled" || status.state == "starting" ||
         status.state == "stopping";
}

/// A run of this machine outside any batch system.
bool SignalProcess(const RunStatus& status, int signal) {
  if (!status.file || status.file->value("host_id", "") != HostIdentity()) return false;
  const int pid = status.file->value("pid", 0);
  return ProcessLives(pid, status.file->value("pid_start", 0LL)) && ::kill(pid, signal) == 0;
}

std::string After(const RunStatus& status) {
  if (status.state == "finished") return "finished before it could be cancelled";
  const std::int64_t step = NewestCheckpointStep(status.run);
  return step >= 0 ? StrCat("cancelled; its checkpoint is of step ", step) : std::string("cancelled");
}

}  // namespace

std::vector<CancelOutcome> CancelRuns(const std::vector<std::filesystem::path>& runs, Scheduler* scheduler,
                                      const CancelOptions& options) {
  std::vector<CancelOutcome> outcomes(runs.size());
  std::vector<RunStatus> statuses = LookAtRuns(runs, scheduler);
  std::vector<std::size_t> waited;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunStatus& status = statuses[i];
    outcomes[i].run = runs[i].string();
    if (status.state == "finished" || status.state == "failed") {
      outcomes[i].text = StrCat("was ", status.state, " already");
      continue;
    }
    MarkCancelled(runs[i]);
    if (!options.now && Runs(status)) {
      if (InBatchJob(status)) {
        if (status.state != "stopping") scheduler->Signal(status.queue->job, "USR1");
        waited.push_back(i);
        continue;
      }
      if (SignalProcess(status, SIGUSR1)) {
        waited.push_back(i);
        continue;
      }
    }
    if (InBatchJob(status)) {
      scheduler->Cancel(status.job);
    } else if (options.now) {
      SignalProcess(status, SIGKILL);
    }
    outcomes[i].text = After(status);
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(options.wait_s);
  while (!waited.empty() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::duration<double>(options.poll_s));
    statuses = LookAtRuns(runs, scheduler);
    std::vector<std::size_t> left;
    for (const std::size_t i : waited) {
      if (Runs(statuses[i]) && !(statuses[i].state == "stopping")) {
        left.push_back(i);
        continue;
      }
      if (InBatchJob(statuses[i])) scheduler->Cancel(statuses[i].job);
      outcomes[i].text = After(statuses[i]);
    }
    waited = std::move(left);
  }
  for (const std::size_t i : waited) {
    if (InBatchJob(statuses[i])) {
      scheduler->Cancel(statuses[i].job);
    } else {
      SignalProcess(statuses[i], SIGKILL);
    }
    outcomes[i].text =
        StrCat("cancelled; it did not stop within ", options.wait_s, " s and lost what came after its last checkpoint");
  }
  return outcomes;
}

}  // namespace nas
