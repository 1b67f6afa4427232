// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "nas/core/progress.h"

namespace nas {

/// Who runs: read from the environment by the command line.
struct JobIdentity {
  std::string job;  ///< "12", "12_3"; "" = no batch job: "local:<pid>"
  int restart = 0;
  int ranks = 1;
  std::vector<std::string> hosts;  ///< "" = this one
  std::string instructions;        ///< vectors of the processor; "" = this one's
  bool strict = false;             ///< a start that cannot be bit-exact is refused instead of warned of
  double beat_s = 10;              ///< seconds between two looks of status.json
  double watch_s = 60;             ///< how long a foreign status.json is watched for signs of life
};

/// What a run tells about itself while it runs: `owner-<k>` (who may write), jobs.jsonl, and status.json every ten
/// seconds (cluster.md §5, §6). Decorates the progress of the command. Nothing is written before `Open`.
class RunJournal : public Progress {
 public:
  /// `inner` may be null.
  RunJournal(Progress* inner, JobIdentity identity);
  ~RunJournal() override;

  /// Takes the run over: the next owner number, a line in jobs.jsonl, status.json from now on. Throws kInput when
  /// another job still renews status.json, or with `strict` on a processor with other vectors than before (a warning
  /// without); kInternal when the restart guard holds (three dead starts in a row).
  void Open(const std::filesystem::path& run);
  /// The same for a run that does not exist yet: at the first progress after its folder has become one.
  void OpenWhenMade(const std::filesystem::path& run);
  bool opened() const;

  /// The fence, asked before each checkpoint: throws kInput "taken over by job …" once a later incarnation owns the
  /// run.
  void CheckOwner() const;

  /// Throws like `CheckOwner`, at most once a second.
  void Update(const ProgressState& state) override;
  void Finish() override;

  /// The last status and line; `sentence`: what the command said last. Only the owner writes.
  void End(int exit, const std::string& sentence);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "avx512", "avx2", "neon" or "generic": what decides the bits of sums on this machine's processor.
std::string OwnInstructions();

/// `host/boot-id`: the same for two processes of one machine, different after a restart of it.
std::string HostIdentity();
/// Whether the process still runs and is the one that started then (`ticks` of /proc/<pid>/stat; 0 = any).
bool ProcessLives(int pid, long long ticks);
long long ProcessStartTicks(int pid);

}  // namespace nas
