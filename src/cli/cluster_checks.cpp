// SPDX-License-Identifier: Apache-2.0
#include "cluster_checks.h"

#include <filesystem>
#include <map>

#include "nas/cluster/results_index.h"
#include "nas/cluster/scheduler.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"

namespace nas::cli {
namespace {

DoctorCheck CheckSlurm() {
  const std::string sbatch = FindProgram("sbatch");
  if (sbatch.empty()) {
    return {"sbatch", "missing", "not on PATH; needed for batch jobs",
            "nas submit --local runs sweeps here without it"};
  }
  try {
    const std::string version = SlurmVersion();
    SubprocessOptions options;
    options.argv = {"sinfo", "-h", "-o", "%P %a %D %t"};
    options.deadline_s = 10;
    const SubprocessResult sinfo = RunSubprocess(options);
    if (sinfo.exit_code != 0) {
      return {"sbatch", "warning", StrCat(sbatch, ", ", version, "; the controller does not answer"),
              "ask your site, or look at: sinfo"};
    }
    return {"sbatch", "ok", StrCat(sbatch, ", ", version, "; ", Split(Trim(sinfo.out), '\n')[0]), ""};
  } catch (const Error& error) {
    return {"sbatch", "warning", error.what(), "look at: sinfo"};
  }
}

/// What the site does to a job that has to give way, and how long it lets it write.
DoctorCheck CheckPreemption() {
  SubprocessOptions options;
  options.argv = {"scontrol", "show", "config"};
  options.deadline_s = 10;
  const SubprocessResult result = RunSubprocess(options);
  std::map<std::string, std::string> config;
  for (const std::string& line : Split(result.out, '\n')) {
    if (const std::size_t equals = line.find('='); equals != std::string::npos)
      config[Trim(line.substr(0, equals))] = Trim(line.substr(equals + 1));
  }
  const std::string mode = config["PreemptMode"];
  const std::string kill_wait = config["KillWait"];
  if (result.exit_code != 0 || mode.empty())
    return {"preemption", "warning", "scontrol tells nothing", "ask your site"};
  const std::string found = StrCat("PreemptMode ", mode, ", KillWait ", kill_wait);
  if (mode.find("CANCEL") != std::string::npos) {
    return {"preemption", "warning", found,
            "a preempted job is ended for good here; go on with: nas submit --resume RUN"};
  }
  long long seconds = 0;
  constexpr long long kWriteSeconds = 10;
  if (ParseInt(Split(kill_wait, ' ')[0], &seconds) && seconds < kWriteSeconds) {
    return {"preemption", "warning", found,
            "a killed run has less than 10 s for its checkpoint; the one before counts"};
  }
  return {"preemption", "ok", found, ""};
}

/// Kind and write speed of the file system that run folders lie on.
DoctorCheck CheckRunsPlace() {
  constexpr std::size_t kBytes = std::size_t{8} << 20;
  const std::filesystem::path here = std::filesystem::current_path();
  std::error_code ignored;
  const std::filesystem::path runs = std::filesystem::is_directory(here / "runs", ignored) ? here / "runs" : here;
  const FileSystemKind kind = FileSystemOf(runs);
  const std::filesystem::path probe = runs / StrCat(".nas-write-probe-", NowIso8601());
  try {
    const Stopwatch watch;
    WriteFileAtomic(probe, std::string(kBytes, 'x'));
    const double seconds = watch.Seconds();
    std::filesystem::remove(probe, ignored);
    return {"runs folder", "ok",
            StrCat(runs.string(), ": ", kind.name, kind.shared ? " (shared)" : " (this machine's own)", ", ",
                   Fixed(static_cast<double>(kBytes) / 1e6 / seconds, 0), " MB/s with fsync"),
            kind.shared ? "" : "jobs on other machines need a shared file system for runs/ and data"};
  } catch (const Error& error) {
    return {"runs folder", "warning", error.what(), "change to a folder you can write to"};
  }
}

}  // namespace

std::vector<DoctorCheck> CheckCluster() {
  std::vector<DoctorCheck> checks{CheckSlurm()};
  if (checks[0].status == "ok") checks.push_back(CheckPreemption());
  checks.push_back(CheckRunsPlace());
  return checks;
}

}  // namespace nas::cli
