// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace nas {

/// One job, or one task of an array, that the batch system knows.
struct QueueEntry {
  std::string job;     ///< "12" or "12_3"; pending tasks of an array come as "12_[3-5]"
  std::string state;   ///< PENDING, RUNNING, COMPLETING, …
  std::string reason;  ///< why it waits: "Resources", "BeginTime", …; "" = none
  std::string start;   ///< expected or real start, local time; "" = unknown
  std::string nodes;
};

/// A batch system. All job ids are text: "12" or "12_3".
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  /// Hands a script over, with options that win over those inside; returns the job's id. Throws kInput with the
  /// system's own sentence when it refuses.
  virtual std::string Submit(const std::string& script, const std::vector<std::string>& options) = 0;
  /// What is known of a job; empty = gone. Throws kUnavailable when the batch system does not answer within 10 s.
  virtual std::vector<QueueEntry> Query(const std::string& job) = 0;
  /// Sends a signal ("USR1") to the ranks of a running job. A job that is gone is no error.
  virtual void Signal(const std::string& job, const std::string& signal) = 0;
  /// Ends a job for good. A job that is gone is no error.
  virtual void Cancel(const std::string& job) = 0;
};

/// Slurm by sbatch, squeue and scancel (never sacct, which many sites do not have), as argument vectors without a
/// shell.
std::unique_ptr<Scheduler> MakeSlurmScheduler();

/// The entry of one task among what `Query` said: by its id, or by the range of a pending array. Null = gone.
const QueueEntry* FindEntry(const std::vector<QueueEntry>& entries, const std::string& job);

/// The script that a job was submitted with (`scontrol show job`); "" = unknown.
std::string ScriptOfJob(const std::string& job);

/// `slurm 22.05.8`; "" where there is no Slurm.
std::string SlurmVersion();

/// Largest size of an array, from `scontrol show config`; 1001 (Slurm's default) when it does not tell.
int MaxArraySize();

}  // namespace nas
