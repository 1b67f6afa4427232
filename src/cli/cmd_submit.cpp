// SPDX-License-Identifier: Apache-2.0
#include "cmd_submit.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include <nlohmann/json.hpp>

#include "cluster_env.h"
#include "cmd_status.h"
#include "nas/cluster/job_log.h"
#include "nas/cluster/local_runner.h"
#include "nas/cluster/run_status.h"
#include "nas/cluster/slurm_script.h"
#include "nas/cluster/sweep.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/core/machine.h"
#include "nas/core/run_folder.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
#include "submitted_command.h"

namespace nas::cli {
namespace fs = std::filesystem;
namespace {

struct SubmitFlags {
  bool slurm = false;
  bool local = false;
  JobResources resources;
  std::vector<std::string> sweep;
  int max_parallel = 0;
  bool dry_run = false;
  bool wait = false;
  bool no_check = false;
  bool allow_new_binary = false;
  std::string resume;
  std::vector<std::string> after;
};

/// What is to be run: one run, or the points of a sweep.
struct Plan {
  std::vector<SweepPoint> points;
  std::string folder;  ///< the run's or the sweep's
  bool is_sweep = false;
};

std::string NasProgram(const Session& session) {
  const fs::path beside =
      session.bin_dir.filename() == "libexec" ? session.bin_dir.parent_path() / "bin" : session.bin_dir;
  return (beside / "nas").string();
}

Plan MakePlan(const SubmitFlags& f, const std::vector<std::string>& words) {
  SubmittedCommand command = TakeApart(words);
  Plan plan;
  plan.is_sweep = !f.sweep.empty();
  plan.folder = command.out;
  if (plan.folder.empty()) {
    plan.folder = RunFolder::NextDefaultName("runs", plan.is_sweep ? "sweep" : command.args[0]).string();
  }
  if (!plan.is_sweep) {
    plan.points = {{0, command.args, plan.folder}};
    return plan;
  }
  std::vector<SweepAxis> axes;
  for (const std::string& word : f.sweep) axes.push_back(ParseSweepAxis(word));
  plan.points = ExpandSweep(axes, command.args, plan.folder);
  return plan;
}

/// Jobs must not measure the machine they happen to land on.
void ForbidProfiling(Plan* plan) {
  for (SweepPoint& point : plan->points) {
    const bool has = std::find(point.args.begin(), point.args.end(), "--no-profile") != point.args.end();
    if (point.args[0] == "search" && !has) point.args.push_back("--no-profile");
  }
}

/// One trial per point, in order. Points that differ in their seed alone share one.
std::vector<Trial> CheckAll(const Plan& plan, bool try_runs, const Session& session) {
  std::vector<Trial> trials(plan.points.size());
  for (const SweepPoint& point : plan.points) CheckFlags(point.args);
  std::map<std::vector<std::string>, Trial> tried;
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    // Seeds decide nothing that a trial could find.
    std::vector<std::string> args;
    for (const std::string& arg : plan.points[i].args) {
      if (!StartsWith(arg, "--seed=")) args.push_back(arg);
    }
    auto it = tried.find(args);
    if (it == tried.end())
      it = tried.emplace(args, try_runs ? TryRun(args, session) : NamedTables(args, session)).first;
    trials[i] = it->second;
  }
  return trials;
}

/// The latency tables of the targets go into the run folder: the job uses these wherever it lands, whatever becomes of
/// the cache.
void FreezeTables(const SweepPoint& point, const Trial& trial) {
  for (const auto& [folder, table] : trial.tables) {
    const fs::path place = fs::path(point.run) / "targets" / folder;
    MakeDirectory(place);
    WriteFileAtomic(place / "table.json", ReadFile(table));
  }
}

/// Between the signal and the limit a step and a checkpoint have to fit, with room.
int SignalSeconds(const std::vector<Trial>& trials) {
  constexpr double kSlowDisk = 20e6;  // bytes/s, of a shared file system in a bad hour
  double longest = 0;
  for (const Trial& trial : trials) longest = std::max(longest, trial.step_s + trial.checkpoint_bytes / kSlowDisk);
  return std::max(JobResources{}.signal_s, static_cast<int>(std::ceil(3 * longest)));
}

void CheckPlace(const Plan& plan, bool may_go_on) {
  std::error_code ignored;
  if (!fs::exists(plan.folder, ignored) || fs::is_empty(plan.folder, ignored)) return;
  const bool ours = RunFolder::IsRun(plan.folder) || IsSweep(plan.folder) ||
                    fs::exists(fs::path(plan.folder) / "jobs.jsonl", ignored);
  if (ours && may_go_on) return;
  if (ours) {
    ThrowInput(StrCat(plan.folder, " was submitted already; go on with: nas submit --resume ", plan.folder,
                      ", or give another --out"));
  }
  ThrowInput(StrCat(plan.folder, " holds other files and is not the folder of a run; give another --out"));
}

std::string JobName(const std::string& folder) { return StrCat("nas-", fs::path(folder).filename().string()); }

SlurmJob MakeJob(const SubmitFlags& f, const Plan& plan, const Session& session) {
  SlurmJob job;
  job.name = JobName(plan.folder);
  job.nas = NasProgram(session);
  job.resources = f.resources;
  job.array = plan.is_sweep;
  job.max_parallel = f.max_parallel;
  job.build = f.allow_new_binary ? "" : ProgramBuild(session);
  job.log = (fs::path(plan.folder) / (plan.is_sweep ? "slurm-%A_%a.log" : "slurm-%j.log")).string();
  for (const SweepPoint& point : plan.points) job.runs.push_back({point.args, point.run});
  return job;
}

void PrintSubmitted(const std::string& kind, const std::vector<std::string>& jobs, const Plan& plan,
                    const std::string& script, const Session& session) {
  Json json{{"schema", "nas.submit/1"}, {"kind", kind}};
  json["job"] = jobs.empty() ? Json(nullptr) : Json(jobs[0]);
  json["array"] = nullptr;
  if (plan.is_sweep && !plan.points.empty()) json["array"] = {plan.points.front().index, plan.points.back().index};
  json["runs"] = Json::array();
  for (const SweepPoint& point : plan.points) json["runs"].push_back(point.run);
  json["script"] = script.empty() ? Json(nullptr) : Json(script);
  if (session.json) {
    session.PrintJson(json);
    return;
  }
  const std::string what = plan.is_sweep ? StrCat(plan.points.size(), " runs in ", plan.folder) : plan.folder;
  if (!jobs.empty()) {
    session.Print(StrCat("job ", Join(jobs, ", "), ": ", what, "\nfollow it with: nas status ", plan.folder));
  } else {
    session.Print(what);
  }
}

/// Waits until no run is queued or running; the exit code is that of the worst run.
int WaitFor(const Plan& plan, Scheduler* scheduler, const Session& session) {
  constexpr double kPollSeconds = 2;
  std::vector<fs::path> runs;
  for (const SweepPoint& point : plan.points) runs.push_back(point.run);
  for (;;) {
    const std::vector<RunStatus> statuses = LookAtRuns(runs, scheduler);
    const bool busy = std::any_of(statuses.begin(), statuses.end(), [](const RunStatus& status) {
      return status.queue.has_value() || status.state == "running" || status.state == "stalled";
    });
    if (!busy) {
      std::vector<LocalOutcome> outcomes;
      for (const RunStatus& status : statuses) {
        const bool ended = status.state == "finished" || status.state == "failed";
        outcomes.push_back({status.run.string(), ended ? status.exit.value_or(0) : ExitCode(ErrorKind::kCheckpointed)});
        LogInfo(StrCat(status.run.string(), ": ", status.state, status.detail.empty() ? "" : ", ", status.detail));
      }
      return ExitOf(outcomes);
    }
    if (session.stop != nullptr && session.stop->requested()) {
      throw Error(ErrorKind::kInterrupted, StrCat("waiting has ended, the jobs go on; see nas status ", plan.folder));
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(kPollSeconds));
  }
}

/// Options of sbatch by which a job waits for others. A job that is requeued is not over: only its last end counts.
std::vector<std::string> AfterOptions(const std::vector<std::string>& names) {
  std::set<std::string> jobs;
  for (const std::string& name : names) {
    const NamedRuns named = FindRuns(name, "runs");
    for (const fs::path& run : named.runs) {
      std::error_code ignored;
      if (fs::exists(run / "result.json", ignored)) continue;
      const std::string job = ReadJobLog(run).last_job();
      if (job.empty() || job[0] < '0' || job[0] > '9') {
        ThrowInput(StrCat("--after ", name, ": ", run.string(), " is in no batch job; submit it first"));
      }
      jobs.insert(job);
    }
  }
  if (jobs.empty()) return {};
  return {"--dependency=afterok:" + Join(std::vector<std::string>(jobs.begin(), jobs.end()), ":"),
          "--kill-on-invalid-dep=yes"};
}

int SubmitToSlurm(const SubmitFlags& f, Plan plan, const Session& session) {
  ForbidProfiling(&plan);
  SlurmJob whole = MakeJob(f, plan, session);
  if (f.dry_run) {
    for (const SweepPoint& point : plan.points) CheckFlags(point.args);
    session.Print(WriteSlurmScript(whole));
    return 0;
  }
  if (FindProgram("sbatch").empty()) {
    throw Error(ErrorKind::kUnavailable,
                "there is no sbatch on PATH: no Slurm here; give --local to run on this machine");
  }
  CheckPlace(plan, /*may_go_on=*/false);
  // What comes after another run needs that run's files: nothing can be tried yet.
  const std::vector<Trial> trials = CheckAll(plan, !f.no_check && f.after.empty(), session);
  whole.resources.signal_s = SignalSeconds(trials);
  whole.resources.Validate();
  const std::vector<std::string> options = AfterOptions(f.after);
  if (plan.is_sweep) WriteSweep(plan.folder, plan.points);
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    MakeDirectory(fs::path(plan.points[i].run) / "logs");
    FreezeTables(plan.points[i], trials[i]);
  }

  const std::unique_ptr<Scheduler> slurm = MakeSlurmScheduler();
  const std::size_t most = plan.is_sweep ? static_cast<std::size_t>(MaxArraySize() - 1) : 1;
  std::vector<std::string> jobs;
  std::string first_script;
  for (std::size_t begin = 0; begin < plan.points.size(); begin += most) {
    const std::size_t end = std::min(plan.points.size(), begin + most);
    SlurmJob job = whole;
    job.runs.assign(whole.runs.begin() + static_cast<std::ptrdiff_t>(begin),
                    whole.runs.begin() + static_cast<std::ptrdiff_t>(end));
    const fs::path script = fs::path(plan.folder) / (begin == 0 ? "job.sbatch" : StrCat("job-", begin, ".sbatch"));
    WriteFileAtomic(script, WriteSlurmScript(job));
    if (begin == 0) first_script = script.string();
    jobs.push_back(slurm->Submit(script.string(), options));
    for (std::size_t i = begin; i < end; ++i) {
      const std::string id = plan.is_sweep ? StrCat(jobs.back(), "_", i - begin) : jobs.back();
      LogSubmission(plan.points[i].run, plan.points[i].args, "slurm", id, script.string());
    }
  }
  PrintSubmitted("slurm", jobs, plan, first_script, session);
  return f.wait ? WaitFor(plan, slurm.get(), session) : 0;
}

int RunHere(const SubmitFlags& f, const Plan& plan, bool check, const Session& session) {
  if (f.dry_run) {
    for (const SweepPoint& point : plan.points) CheckFlags(point.args);
    for (const SweepPoint& point : plan.points) {
      session.Print(StrCat("nas ", Join(point.args, " "), " --out ", point.run, " --resume=auto"));
    }
    return 0;
  }
  if (check) {
    CheckPlace(plan, /*may_go_on=*/true);
    for (const SweepPoint& point : plan.points) CheckFlags(point.args);
    if (!f.no_check && !fs::exists(plan.folder)) CheckAll(plan, /*try_runs=*/true, session);
    if (plan.is_sweep) WriteSweep(plan.folder, plan.points);
  }
  for (const SweepPoint& point : plan.points) {
    ClearCancelled(point.run);
    LogSubmission(point.run, point.args, "local", "", "");
  }
  LocalRunnerOptions options;
  options.nas = NasProgram(session);
  options.max_parallel = std::max(1, f.max_parallel);
  options.cores = session.threads;
  options.stop = session.stop;
  options.tell = [](const std::string& text) { LogInfo(text); };
  const std::vector<LocalOutcome> outcomes = RunLocally(plan.points, options);
  PrintSubmitted("local", {}, plan, "", session);
  const int exit = ExitOf(outcomes);
  if (exit == ExitCode(ErrorKind::kCheckpointed)) {
    LogInfo(StrCat("stopped; go on with: nas submit --local --resume ", plan.folder));
  }
  return exit;
}

/// The unfinished runs of a sweep, or the run itself, as they were submitted.
Plan PlanFrom(const std::string& folder) {
  Plan plan;
  plan.folder = folder;
  plan.is_sweep = IsSweep(folder);
  if (plan.is_sweep) {
    plan.points = ReadSweep(folder);
  } else {
    const JobLog log = ReadJobLog(folder);
    if (log.args.empty()) {
      ThrowInput(
          StrCat(folder, " was not submitted; go on with: nas search --out ", folder, " --resume and its flags"));
    }
    plan.points = {{0, log.args, folder}};
  }
  std::erase_if(plan.points, [](const SweepPoint& point) {
    std::error_code ignored;
    return fs::exists(fs::path(point.run) / "result.json", ignored);
  });
  return plan;
}

int ResumeOnSlurm(const SubmitFlags& f, const Plan& plan, const Session& session) {
  const std::unique_ptr<Scheduler> slurm = MakeSlurmScheduler();
  std::vector<fs::path> runs;
  for (const SweepPoint& point : plan.points) runs.push_back(point.run);
  std::map<std::string, std::vector<std::size_t>> by_script;
  const std::vector<RunStatus> statuses = LookAtRuns(runs, slurm.get());
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (statuses[i].queue || statuses[i].state == "running") {
      LogInfo(StrCat(runs[i].string(), ": ", statuses[i].state, " in job ", statuses[i].job, "; left alone"));
      continue;
    }
    by_script[ReadJobLog(runs[i]).script].push_back(i);
  }
  std::vector<std::string> jobs;
  std::string first_script;
  for (const auto& [script, members] : by_script) {
    std::error_code ignored;
    if (script.empty() || !fs::exists(script, ignored)) {
      ThrowInput(StrCat(runs[members[0]].string(), " has no batch script; give --local, or submit it anew"));
    }
    std::vector<std::string> tasks;
    for (const std::size_t i : members) {
      const std::string job = ReadJobLog(runs[i]).submitted_job;
      if (const std::size_t mark = job.find('_'); mark != std::string::npos) tasks.push_back(job.substr(mark + 1));
      ClearCancelled(runs[i]);
    }
    std::vector<std::string> options;
    if (!tasks.empty()) options.push_back("--array=" + Join(tasks, ","));
    const std::string job = slurm->Submit(script, options);
    jobs.push_back(job);
    if (first_script.empty()) first_script = script;
    for (std::size_t k = 0; k < members.size(); ++k) {
      const std::string id = tasks.empty() ? job : StrCat(job, "_", tasks[k]);
      LogSubmission(runs[members[k]], plan.points[members[k]].args, "slurm", id, script);
    }
  }
  PrintSubmitted("slurm", jobs, plan, first_script, session);
  return f.wait ? WaitFor(plan, slurm.get(), session) : 0;
}

/// What stands behind `--`.
std::vector<std::string> CommandOf(const std::vector<std::string>& argv) {
  const auto mark = std::find(argv.begin(), argv.end(), "--");
  return mark == argv.end() ? std::vector<std::string>() : std::vector<std::string>(mark + 1, argv.end());
}

int Submit(const SubmitFlags& f, const Session& session) {
  const std::vector<std::string> command = CommandOf(session.argv);
  if (f.slurm && f.local) ThrowUsage("--slurm and --local exclude each other; give one");
  if (f.local && !f.after.empty())
    ThrowUsage("--after is for batch jobs; with --local give one command after the other");
  if (f.max_parallel < 0) ThrowUsage(StrCat("--max-parallel ", f.max_parallel, ": give 1 or more, or 0 for no limit"));
  f.resources.Validate();
  const bool local = f.local || (!f.slurm && !f.dry_run && FindProgram("sbatch").empty());
  if (local && !f.local) {
    throw Error(ErrorKind::kUnavailable,
                "there is no sbatch on PATH: no Slurm here; give --local to run on this machine");
  }
  if (!f.resume.empty()) {
    if (!command.empty()) ThrowUsage("--resume RUN takes no command: the run knows its own");
    const Plan plan = PlanFrom(f.resume);
    if (plan.points.empty()) {
      LogInfo(StrCat(f.resume, " is finished; nothing is left to do"));
      return 0;
    }
    return local ? RunHere(f, plan, /*check=*/false, session) : ResumeOnSlurm(f, plan, session);
  }
  const Plan plan = MakePlan(f, command);
  return local ? RunHere(f, plan, /*check=*/true, session) : SubmitToSlurm(f, plan, session);
}

}  // namespace

Run ConfigureSubmit(FlagSet& flags) {
  auto f = std::make_shared<SubmitFlags>();
  flags.Group("Where to run");
  flags.AddSwitch("--slurm", &f->slurm, "as a Slurm job (the default where sbatch is found)");
  flags.AddSwitch("--local", &f->local, "here, in the foreground");
  flags.Group("What a job gets");
  flags.Add("--nodes", &f->resources.nodes, "machines");
  flags.Add("--ranks-per-node", &f->resources.ranks_per_node, "processes on each");
  flags.Add("--cpus-per-rank", &f->resources.cpus_per_rank, "cores of each process");
  flags.Add("--gpus-per-node", &f->resources.gpus_per_node, "GPUs of each machine");
  flags.Add("--mem", &f->resources.mem, "memory of each machine, as sbatch writes it: 16G");
  flags.Add("--time", &f->resources.time,
            "limit of one start, as sbatch writes it; the job is requeued until it is done");
  flags.Add("--partition", &f->resources.partition, "of the cluster; by default the site's");
  flags.AddList("--sbatch-arg", &f->resources.sbatch_args,
                "one more option of sbatch: --sbatch-arg=--account=x; repeatable");
  flags.Group("Several runs");
  flags.AddList(
      "--sweep", &f->sweep,
      "NAME=VALUES …: a run for each; NAME a long flag, VALUES a list or a range a..b[:step], + joins targets");
  flags.Add("--max-parallel", &f->max_parallel, "runs at a time; 0: no limit on Slurm, 1 here");
  flags.Group("How");
  flags.AddSwitch("--dry-run", &f->dry_run, "print the batch script (or the commands); make nothing");
  flags.AddSwitch("--wait", &f->wait, "return when all runs have ended, with the worst exit code");
  flags.AddSwitch("--no-check", &f->no_check, "do not try the runs here first (data that only the nodes see)");
  flags.AddSwitch("--allow-new-binary", &f->allow_new_binary, "jobs may run a program that was built after submission");
  flags.AddList("--after", &f->after, "run, sweep or job id: start once it has ended well; repeatable");
  flags.Add("--resume", &f->resume, "run or sweep folder: submit again what is not finished");
  SetExamples(flags,
              "  nas submit --cpus-per-rank 8 --time 4:00:00 -- search --data photos/ --target macs=60M --out runs/a\n"
              "  nas submit --sweep seed=0..4 target=macs=50%,macs=70% -- search --data demo --out runs/seeds");
  return [f](const Session& session) { return Submit(*f, session); };
}

std::vector<std::string> WordsToParse(const std::vector<std::string>& argv) {
  std::vector<std::string> words;
  const bool submits = argv.size() > 1 && argv[1] == "submit";
  bool in_sweep = false;
  for (std::size_t i = 1; i < argv.size(); ++i) {
    if (submits && argv[i] == "--") break;
    if (submits && in_sweep && !StartsWith(argv[i], "-") && words.back() != "--sweep") words.push_back("--sweep");
    if (StartsWith(argv[i], "-")) in_sweep = StartsWith(argv[i], "--sweep");
    words.push_back(argv[i]);
  }
  std::reverse(words.begin(), words.end());
  return words;
}

}  // namespace nas::cli
