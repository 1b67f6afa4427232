// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace nas {

/// Seconds of a limit as sbatch writes it: minutes, m:s, h:m:s, d-h, d-h:m, d-h:m:s; nullopt = none. Throws kUsage.
std::optional<double> SlurmSeconds(const std::string& text);

/// What a job asks of the batch system. 0 and "" leave the choice to the site's defaults.
struct JobResources {
  int nodes = 1;
  int ranks_per_node = 1;
  int cpus_per_rank = 1;
  int gpus_per_node = 0;
  std::string mem;                       ///< per node, Slurm's spelling: "16G"
  std::string time = "24:00:00";         ///< limit of one start, Slurm's spelling
  std::string partition;                 ///< "" = the default one
  std::vector<std::string> sbatch_args;  ///< further options, as for sbatch: "--account=x"
  int signal_s = 120;                    ///< seconds between USR1 and the time limit: a step and a checkpoint fit

  /// Throws kUsage naming flag, value and what is legal.
  void Validate() const;
};

/// One run of a job: what `nas` is called with (verb first, without --out and --resume), and its run folder.
struct JobRun {
  std::vector<std::string> args;
  std::string run;
};

/// A batch job of one run, or an array with one run per task.
struct SlurmJob {
  std::string name;  ///< shown by squeue
  std::string nas;   ///< path of the program
  JobResources resources;
  std::vector<JobRun> runs;
  int first_task = 0;    ///< array index of the first run
  bool array = false;    ///< also for a single run of a sweep
  int max_parallel = 0;  ///< of an array; 0 = no limit
  /// Identity of the program at submission: the job refuses to run another one. "" = any.
  std::string build;
  std::string log;  ///< path with Slurm's patterns (%j, %A_%a); "" = slurm-<id>.log in the run or sweep folder
};

/// The whole script, which starts the ranks with srun, and asks for a requeue after exit 75 or a killed rank as long as
/// `nas status --resumable` says so (cluster.md §6). Pure: the same job gives the same bytes.
std::string WriteSlurmScript(const SlurmJob& job);

}  // namespace nas
