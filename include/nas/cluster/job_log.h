// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace nas {

/// One start of a run, as jobs.jsonl tells it.
struct Incarnation {
  int number = 0;   ///< k of its owner-<k> mark, from 1
  std::string job;  ///< "12", "12_3", or "local:<pid>"
  int restart = 0;  ///< how often the batch system had requeued the job
  std::string host;
  std::int64_t checkpoint_step = -1;  ///< newest checkpoint when it started; −1 = none
  std::optional<int> exit;            ///< absent: still running, or killed
  std::string cause;                  ///< the last sentence, "" = none
  std::string instructions;           ///< vectors of its processor: "avx512", "avx2", …; "" = not told
};

/// What jobs.jsonl of a run folder holds: how it was submitted, and a pair of lines per incarnation.
struct JobLog {
  std::vector<std::string>
      args;          ///< of `nas` as submitted, verb first, without --out and --resume; empty = never submitted
  std::string kind;  ///< "slurm", "local" or ""
  std::string submitted_job;  ///< id of the last submission
  std::string script;         ///< path of the batch script, "" = none
  std::vector<Incarnation> incarnations;
  std::size_t guarded_from = 0;  ///< incarnations before the last submission do not count for the restart guard

  /// The job that the batch system would know: that of the last submission or start.
  std::string last_job() const;
};

/// Reads jobs.jsonl; lines cut short by a crash are passed over. Empty when there is none.
JobLog ReadJobLog(const std::filesystem::path& run);

void LogSubmission(const std::filesystem::path& run, const std::vector<std::string>& args, const std::string& kind,
                   const std::string& job, const std::string& script);
void LogStart(const std::filesystem::path& run, const Incarnation& incarnation);
void LogEnd(const std::filesystem::path& run, int number, int exit, const std::string& cause);

/// Step of the newest checkpoint in the run folder, −1 = none.
std::int64_t NewestCheckpointStep(const std::filesystem::path& run);

/// The restart guard: a sentence with the causes when the last three incarnations since the last submission ended badly
/// (killed, or by an error) without a newer checkpoint, "" otherwise. Stops on request do not count.
std::string RestartGuard(const std::filesystem::path& run, const JobLog& log);

/// The mark that `cancel` leaves: the run is not requeued any more.
bool IsCancelled(const std::filesystem::path& run);
void MarkCancelled(const std::filesystem::path& run);
void ClearCancelled(const std::filesystem::path& run);

}  // namespace nas
