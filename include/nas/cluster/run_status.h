// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nas/cluster/job_log.h"
#include "nas/cluster/scheduler.h"
#include "nas/core/json.h"

namespace nas {

/// Older than this, a status.json is no sign of life.
inline constexpr double kStaleSeconds = 120;

/// status.json of a run; null when there is none or it is damaged.
std::shared_ptr<const Json> ReadStatusFile(const std::filesystem::path& run);

/// How a run stands: its own file beside what the batch system says (cluster.md §6).
struct RunStatus {
  std::filesystem::path run;
  /// queued, starting, running, stalled, requeued, stopping, lost, stopped, cancelled, finished, failed, unknown
  std::string state;
  std::string job;     ///< "" = never in a job
  std::string detail;  ///< one sentence for people: reason, start time, how to go on
  std::optional<int> exit;
  std::optional<QueueEntry> queue;
  double heartbeat_age_s = -1;       ///< −1 = no status.json
  std::shared_ptr<const Json> file;  ///< status.json; null = none
  bool unfinished() const { return state != "finished" && state != "failed" && state != "cancelled"; }
};

/// File × queue → state. `queue_known`: the batch system was asked (false: the job is local or there is none here).
/// `process_lives`: of a local run on this machine; nullopt = cannot be told.
struct StatusInputs {
  std::shared_ptr<const Json> file;  ///< status.json
  std::optional<QueueEntry> queue;
  bool queue_known = false;
  std::optional<bool> process_lives;
  bool cancelled = false;
  bool finished = false;  ///< result.json is there
  bool is_run = false;    ///< env.json is there
  double now = 0;         ///< Unix time, s
  std::string job;
};
RunStatus DecideStatus(const std::filesystem::path& run, const StatusInputs& inputs);

/// Looks at run folders; the batch system is asked once per job. `scheduler` may be null. Throws kInput for a folder
/// that is neither a run nor submitted.
std::vector<RunStatus> LookAtRuns(const std::vector<std::filesystem::path>& runs, Scheduler* scheduler);

/// What a user means by RUN, SWEEP or JOB: the run folders, and the sweep's name ("" = single runs). A number is looked
/// up in the jobs.jsonl under `runs_dir`, then in the batch system. Throws kInput when nothing is known of it.
struct NamedRuns {
  std::vector<std::filesystem::path> runs;
  std::string sweep;
};
NamedRuns FindRuns(const std::string& name, const std::filesystem::path& runs_dir);

/// The JSON of one run: status.json with `state` as decided, `queue` {state, reason, start} and `heartbeat_age_s`.
Json ToJson(const RunStatus& status);
/// Table for people.
std::string ToTable(const std::vector<RunStatus>& runs, bool color);

/// Whether the run should go on: checkpointed or dead; not cancelled, finished, failed, or owned by another live job.
/// `own_job`: the job that asks. Throws kInternal with the causes when the restart guard holds.
bool Resumable(const std::filesystem::path& run, const std::string& own_job);

}  // namespace nas
