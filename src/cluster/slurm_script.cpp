// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/slurm_script.h"

#include <algorithm>

#include "nas/cluster/sweep.h"
#include "nas/core/error.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"

namespace nas {
namespace {

/// srun has to outlast the detection of a lost rank and the last checkpoint before it kills the others.
constexpr int kWaitForRanks = 300;
constexpr int kSecondsPerMinute = 60;

std::string Words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += StrCat(" ", ShellQuote(word));
  return text;
}

/// A value inside an `#SBATCH` line: Slurm knows double quotes there, and no line breaks.
std::string DirectiveWord(const std::string& word) {
  if (word.find_first_of("\n\"") != std::string::npos) {
    ThrowUsage(StrCat("\"", word, "\" cannot stand in a batch script; leave quotes and line breaks out"));
  }
  return word.find_first_of(" \t#'\\$") == std::string::npos ? word : StrCat('"', word, '"');
}

std::string Directives(const SlurmJob& job) {
  const JobResources& r = job.resources;
  std::string text = StrCat("#SBATCH --job-name=", DirectiveWord(job.name), " --nodes=", r.nodes,
                            " --ntasks-per-node=", r.ranks_per_node, " --cpus-per-task=", r.cpus_per_rank);
  // GPUs per node, not per task: the ranks of a node have to see each other's.
  if (r.gpus_per_node > 0) text += StrCat(" --gpus-per-node=", r.gpus_per_node);
  if (!r.mem.empty()) text += StrCat(" --mem=", DirectiveWord(r.mem));
  if (!r.time.empty()) text += StrCat(" --time=", DirectiveWord(r.time));
  if (!r.partition.empty()) text += StrCat(" --partition=", DirectiveWord(r.partition));
  // No "B:" before USR1: then only the batch shell would get it, not the ranks.
  text +=
      StrCat("\n#SBATCH --requeue --signal=USR1@", r.signal_s, " --open-mode=append --output=", DirectiveWord(job.log));
  if (job.array) {
    const int last = job.first_task + static_cast<int>(job.runs.size()) - 1;
    text += StrCat("\n#SBATCH --array=", job.first_task, "-", last);
    if (job.max_parallel > 0) text += StrCat("%", job.max_parallel);
  }
  for (const std::string& arg : r.sbatch_args) text += StrCat("\n#SBATCH ", DirectiveWord(arg));
  return text + "\n";
}

/// Sets RUN and the positional parameters to the run of this task.
std::string ChooseRun(const SlurmJob& job) {
  if (!job.array) return StrCat("RUN=", ShellQuote(job.runs[0].run), "; set --", Words(job.runs[0].args), "\n");
  std::string text = "case $SLURM_ARRAY_TASK_ID in\n";
  int task = job.first_task;
  for (const JobRun& run : job.runs) {
    text += StrCat("  ", task++, ") RUN=", ShellQuote(run.run), "; set --", Words(run.args), " ;;\n");
  }
  return text + "  *) echo \"no run has index $SLURM_ARRAY_TASK_ID\" >&2; exit 3 ;;\nesac\n";
}

}  // namespace

std::optional<double> SlurmSeconds(const std::string& text) {
  if (text.empty() || ToLower(text) == "unlimited" || ToLower(text) == "infinite") return std::nullopt;
  const auto refuse = [&]() {
    ThrowUsage(StrCat("--time ", text, ": write it as sbatch does: minutes, 12:00:00, or 2-12:00:00"));
  };
  std::string clock = text;
  long long days = 0;
  const std::size_t dash = text.find('-');
  if (dash != std::string::npos) {
    if (!ParseInt(text.substr(0, dash), &days) || days < 0) refuse();
    clock = text.substr(dash + 1);
  }
  std::vector<long long> parts;
  for (const std::string& part : Split(clock, ':')) {
    long long number = 0;
    if (!ParseInt(part, &number) || number < 0) refuse();
    parts.push_back(number);
  }
  if (parts.size() > 3) refuse();
  // Behind days the first number is hours; a single number is minutes, two are minutes and seconds.
  if (dash == std::string::npos && parts.size() < 3) parts.insert(parts.begin(), 0);
  parts.resize(3, 0);
  return static_cast<double>(((days * 24 + parts[0]) * 60 + parts[1]) * 60 + parts[2]);
}

void JobResources::Validate() const {
  const auto need = [](const char* flag, int value, int least) {
    if (value < least) ThrowUsage(StrCat(flag, " ", value, ": give ", least, " or more"));
  };
  need("--nodes", nodes, 1);
  need("--ranks-per-node", ranks_per_node, 1);
  need("--cpus-per-rank", cpus_per_rank, 1);
  need("--gpus-per-node", gpus_per_node, 0);
  if (const std::optional<double> limit = SlurmSeconds(time)) {
    // Slurm may send the signal a minute early.
    const int least = signal_s + 2 * kSecondsPerMinute;
    if (*limit < least) {
      ThrowUsage(StrCat("--time ", time, " leaves no time to compute: the signal to stop comes ", signal_s,
                        " s before it; give at least ", least / kSecondsPerMinute + (least % kSecondsPerMinute != 0),
                        " minutes"));
    }
  }
  for (const std::string& arg : sbatch_args) {
    if (!StartsWith(arg, "-")) ThrowUsage(StrCat("--sbatch-arg ", arg, ": give an option of sbatch, like --account=x"));
    for (const char* ours : {"--array", "--requeue", "--no-requeue", "--signal", "--output", "--open-mode", "--wrap"}) {
      if (arg == ours || StartsWith(arg, StrCat(ours, "="))) {
        ThrowUsage(StrCat("--sbatch-arg ", arg, ": the script sets ", ours, " itself; leave it out"));
      }
    }
  }
}

std::string WriteSlurmScript(const SlurmJob& job) {
  if (job.runs.empty()) ThrowInternal("a batch job without a run");
  if (!job.array && job.runs.size() != 1) ThrowInternal("several runs need an array");
  job.resources.Validate();
  // Since Slurm 22.05 srun does not inherit --cpus-per-task. It returns the highest code: one killed rank makes 137 of
  // the others' 75, so that every code above 128 asks the run folder.
  const std::string build = job.build.empty() ? "" : StrCat("; export NAS_SUBMITTED_BUILD=", ShellQuote(job.build));
  // Not every site binds a task to its processors: the program is told how many are its own.
  const auto& args = job.runs[0].args;
  const bool threads =
      std::any_of(args.begin(), args.end(), [](const std::string& arg) { return StartsWith(arg, "--threads"); });
  const std::string start =
      StrCat("srun --cpus-per-task=$SLURM_CPUS_PER_TASK --kill-on-bad-exit=0 --wait=", kWaitForRanks,
             " \"$NAS\" \"$@\"", threads ? "" : " --threads=$SLURM_CPUS_PER_TASK");
  const std::string head =
      StrCat("#!/bin/bash\n", Directives(job), "export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK; NAS=", ShellQuote(job.nas),
             build, "\n", ChooseRun(job));
  if (!TakesRunFolder(job.runs[0].args)) return head + start + "\n";
  return StrCat(head, start,
                " --out \"$RUN\" --resume=auto\n"
                "rc=$?; [ $rc -eq 75 ] || [ $rc -gt 128 ] || exit $rc\n"
                "\"$NAS\" status \"$RUN\" --resumable; "
                "[ $? -eq 75 ] && scontrol requeue $SLURM_JOB_ID && sleep 60; exit $rc\n");
}

}  // namespace nas
