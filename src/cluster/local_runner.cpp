// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/local_runner.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include "nas/cluster/job_log.h"
#include "nas/cluster/run_status.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/dist/child_process.h"

namespace nas {
namespace fs = std::filesystem;
namespace {

constexpr int kCheckpointed = 75;
constexpr int kInfeasible = 4;

struct Running {
  std::size_t index;
  ChildProcess child;
};

bool HasThreads(const std::vector<std::string>& args) {
  return std::any_of(args.begin(), args.end(), [](const std::string& arg) { return StartsWith(arg, "--threads"); });
}

ChildProcess Start(const SweepPoint& point, const LocalRunnerOptions& options, int threads) {
  const fs::path logs = fs::path(point.run) / "logs";
  MakeDirectory(logs);
  const fs::path log = logs / "local.log";
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) ThrowInput(StrCat("cannot write ", log.string()));
  ChildOptions child;
  child.argv = {options.nas};
  child.argv.insert(child.argv.end(), point.args.begin(), point.args.end());
  if (!HasThreads(point.args)) child.argv.push_back(StrCat("--threads=", threads));
  if (TakesRunFolder(point.args)) child.argv.insert(child.argv.end(), {"--out", point.run, "--resume=auto"});
  child.out = child.err = fd;
  try {
    ChildProcess process(child);
    ::close(fd);
    return process;
  } catch (...) {
    ::close(fd);
    throw;
  }
}

bool MayGoOn(const SweepPoint& point, int exit, const LocalRunnerOptions& options) {
  if (exit != kCheckpointed && exit <= 128) return false;
  try {
    return Resumable(point.run, /*own_job=*/"");
  } catch (const Error& guard) {
    if (options.tell) options.tell(guard.what());
    return false;
  }
}

}  // namespace

std::vector<LocalOutcome> RunLocally(const std::vector<SweepPoint>& points, const LocalRunnerOptions& options) {
  const int parallel = std::clamp(options.max_parallel, 1, std::max(1, static_cast<int>(points.size())));
  const int threads = std::max(1, options.cores / parallel);
  const auto tell = [&](const std::string& text) {
    if (options.tell) options.tell(text);
  };
  std::vector<LocalOutcome> outcomes;
  for (const SweepPoint& point : points) outcomes.push_back({point.run, -1});
  std::vector<Running> running;
  std::size_t next = 0;
  bool stopping = false;
  while (next < points.size() || !running.empty()) {
    if (!stopping && options.stop != nullptr && options.stop->requested()) {
      stopping = true;
      tell(StrCat("stopping ", running.size(), " runs; each writes a checkpoint"));
      for (const Running& run : running) run.child.Signal(SIGUSR1);
    }
    if (stopping) next = points.size();
    while (next < points.size() && static_cast<int>(running.size()) < parallel) {
      const SweepPoint& point = points[next];
      std::error_code ignored;
      if (fs::exists(fs::path(point.run) / "result.json", ignored)) {
        outcomes[next].exit = 0;
        tell(StrCat(point.run, ": finished already"));
      } else if (IsCancelled(point.run)) {
        tell(StrCat(point.run, ": cancelled before it started"));
      } else {
        tell(StrCat(point.run, ": started"));
        running.push_back({next, Start(point, options, threads)});
      }
      ++next;
    }
    for (std::size_t i = 0; i < running.size();) {
      const auto exit = running[i].child.Poll();
      if (!exit) {
        ++i;
        continue;
      }
      const std::size_t index = running[i].index;
      outcomes[index].exit = *exit;
      if (!stopping && MayGoOn(points[index], *exit, options)) {
        tell(StrCat(points[index].run, ": exit ", *exit, ", goes on from its checkpoint"));
        running[i].child = Start(points[index], options, threads);
        ++i;
        continue;
      }
      tell(StrCat(points[index].run, ": ", *exit == 0 ? "finished" : StrCat("exit ", *exit)));
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (!running.empty()) std::this_thread::sleep_for(std::chrono::duration<double>(options.poll_s));
  }
  return outcomes;
}

int ExitOf(const std::vector<LocalOutcome>& outcomes) {
  int failure = 0;
  bool stopped = false;
  bool missed = false;
  for (const LocalOutcome& outcome : outcomes) {
    stopped = stopped || outcome.exit == kCheckpointed || outcome.exit < 0;
    missed = missed || outcome.exit == kInfeasible;
    if (outcome.exit > 0 && outcome.exit != kCheckpointed && outcome.exit != kInfeasible && failure == 0) {
      failure = outcome.exit;
    }
  }
  if (failure != 0) return failure;
  return stopped ? kCheckpointed : missed ? kInfeasible : 0;
}

}  // namespace nas
