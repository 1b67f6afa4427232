// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/job_log.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/json.h"
#include "nas/core/text.h"

namespace nas {
namespace fs = std::filesystem;
namespace {

constexpr int kGuardedStarts = 3;
constexpr int kCheckpointedExit = 75;

fs::path LogFile(const fs::path& run) { return run / "jobs.jsonl"; }
fs::path CancelFile(const fs::path& run) { return run / "cancel"; }

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

void Append(const fs::path& run, const Json& line) {
  MakeDirectory(run);
  AppendLine(LogFile(run), line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void ReadLine(const Json& line, JobLog* log) {
  const std::string event = line.value("event", "");
  if (event == "submit") {
    line.at("args").get_to(log->args);
    log->kind = line.value("kind", "");
    log->submitted_job = line.value("job", "");
    log->script = line.value("script", "");
    log->guarded_from = log->incarnations.size();
  } else if (event == "start") {
    Incarnation incarnation;
    line.at("incarnation").get_to(incarnation.number);
    incarnation.job = line.value("job", "");
    incarnation.restart = line.value("restart", 0);
    incarnation.host = line.value("host", "");
    incarnation.checkpoint_step = line.value("checkpoint_step", std::int64_t{-1});
    incarnation.instructions = line.value("instructions", "");
    log->incarnations.push_back(std::move(incarnation));
  } else if (event == "end") {
    for (Incarnation& incarnation : log->incarnations) {
      if (incarnation.number != line.at("incarnation").get<int>()) continue;
      incarnation.exit = line.at("exit").get<int>();
      incarnation.cause = line.value("cause", "");
    }
  }
}

}  // namespace

std::string JobLog::last_job() const {
  // A submission after the last start is newer than it; a requeued job keeps its id.
  if (!submitted_job.empty()) return submitted_job;
  return incarnations.empty() ? "" : incarnations.back().job;
}

JobLog ReadJobLog(const fs::path& run) {
  JobLog log;
  if (!Exists(LogFile(run))) return log;
  for (const std::string& text : Split(ReadFile(LogFile(run)), '\n')) {
    const Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object()) continue;
    try {
      ReadLine(line, &log);
    } catch (const Json::exception&) {
      continue;
    }
  }
  return log;
}

void LogSubmission(const fs::path& run, const std::vector<std::string>& args, const std::string& kind,
                   const std::string& job, const std::string& script) {
  Append(
      run,
      {{"event", "submit"}, {"time", NowIso8601()}, {"kind", kind}, {"job", job}, {"script", script}, {"args", args}});
}

void LogStart(const fs::path& run, const Incarnation& incarnation) {
  Append(run, {{"event", "start"},
               {"time", NowIso8601()},
               {"incarnation", incarnation.number},
               {"job", incarnation.job},
               {"restart", incarnation.restart},
               {"host", incarnation.host},
               {"checkpoint_step", incarnation.checkpoint_step},
               {"instructions", incarnation.instructions}});
}

void LogEnd(const fs::path& run, int number, int exit, const std::string& cause) {
  Append(run, {{"event", "end"}, {"time", NowIso8601()}, {"incarnation", number}, {"exit", exit}, {"cause", cause}});
}

std::int64_t NewestCheckpointStep(const fs::path& run) {
  std::int64_t newest = -1;
  std::error_code error;
  for (fs::directory_iterator it(run / "checkpoints", error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    long long step = 0;
    if (StartsWith(name, "step-") && it->path().extension() == ".safetensors" &&
        ParseInt(it->path().stem().string().substr(5), &step)) {
      newest = std::max<std::int64_t>(newest, step);
    }
  }
  return newest;
}

std::string RestartGuard(const fs::path& run, const JobLog& log) {
  const auto& starts = log.incarnations;
  if (starts.size() < log.guarded_from + kGuardedStarts) return "";
  const std::int64_t now = NewestCheckpointStep(run);
  std::vector<std::string> causes;
  for (std::size_t i = starts.size() - kGuardedStarts; i < starts.size(); ++i) {
    const Incarnation& start = starts[i];
    if (start.exit == kCheckpointedExit || start.checkpoint_step != now) return "";
    causes.push_back(StrCat("job ", start.job, " on ", start.host, ": ",
                            start.exit ? StrCat("exit ", *start.exit, start.cause.empty() ? "" : ", " + start.cause)
                                       : std::string("killed")));
  }
  return StrCat(run.string(), " was started ", kGuardedStarts, " times in a row without a newer checkpoint (",
                Join(causes, "; "), "); see its nas.log, mend the cause, then: nas submit --resume ", run.string());
}

bool IsCancelled(const fs::path& run) { return Exists(CancelFile(run)); }

void MarkCancelled(const fs::path& run) { WriteFileAtomic(CancelFile(run), NowIso8601() + "\n"); }

void ClearCancelled(const fs::path& run) {
  std::error_code ignored;
  fs::remove(CancelFile(run), ignored);
}

}  // namespace nas
