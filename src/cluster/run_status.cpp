// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/run_status.h"

#include <algorithm>
#include <chrono>
#include <map>

#include <nlohmann/json.hpp>

#include "nas/cluster/run_journal.h"
#include "nas/cluster/sweep.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/core/run_folder.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/core/units.h"

namespace nas {
namespace fs = std::filesystem;
namespace {

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

double UnixSeconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

bool IsBatchJob(const std::string& job) { return !job.empty() && job[0] >= '0' && job[0] <= '9'; }

std::optional<bool> ProcessOf(const Json& status) {
  if (status.value("host_id", "") != HostIdentity()) return std::nullopt;
  return ProcessLives(status.value("pid", 0), status.value("pid_start", 0LL));
}

std::string HowToGoOn(const fs::path& run) { return StrCat("go on with: nas submit --resume ", run.string()); }

Json Field(const RunStatus& status, const char* key) {
  return status.file && status.file->contains(key) ? (*status.file)[key] : Json(nullptr);
}

std::string Shown(const Json& value, int digits) {
  return value.is_number() ? Fixed(value.get<double>(), digits) : "-";
}

}  // namespace

std::shared_ptr<const Json> ReadStatusFile(const fs::path& run) {
  const fs::path path = run / "status.json";
  if (!Exists(path)) return nullptr;
  try {
    Json status = Json::parse(ReadFile(path), nullptr, /*allow_exceptions=*/false);
    if (!status.is_object()) return nullptr;
    return std::make_shared<const Json>(std::move(status));
  } catch (const Error&) {
    return nullptr;  // replaced just now
  }
}

RunStatus DecideStatus(const fs::path& run, const StatusInputs& in) {
  RunStatus out;
  out.run = run;
  out.job = in.job;
  out.queue = in.queue;
  const std::string said = in.file ? in.file->value("state", "") : "";
  if (in.file) {
    out.file = in.file;
    out.heartbeat_age_s = std::max(0.0, in.now - in.file->value("time", 0.0));
    if (in.file->contains("exit") && (*in.file)["exit"].is_number_integer()) out.exit = (*in.file)["exit"].get<int>();
  }
  if (in.finished || said == "finished") {
    out.state = "finished";
    if (out.exit && *out.exit != 0) out.detail = "a target was missed when measured again";
    return out;
  }
  if (said == "failed") {
    out.state = "failed";
    out.detail = StrCat("exit ", out.exit.value_or(1), ": ", in.file->value("sentence", ""));
    return out;
  }
  const bool pending = in.queue && (in.queue->state == "PENDING" || in.queue->state == "REQUEUED" ||
                                    in.queue->state == "REQUEUE_HOLD" || in.queue->state == "CONFIGURING");
  const bool gone = in.queue_known && !in.queue;
  const bool fresh = in.file && out.heartbeat_age_s < kStaleSeconds;
  const auto waiting = [&] {
    return StrCat(
        in.queue->reason.empty() ? "" : in.queue->reason,
        in.queue->start.empty() ? "" : StrCat(in.queue->reason.empty() ? "" : ", ", "starts ", in.queue->start));
  };
  if (pending) {
    out.state = in.file ? "requeued" : "queued";
    out.detail = waiting();
    if (in.cancelled) out.state = "cancelled";
    return out;
  }
  if (in.queue) {
    if (said == "checkpointed") {
      out.state = "stopping";
    } else if (!in.file) {
      out.state = "starting";
    } else {
      out.state = fresh ? "running" : "stalled";
      if (!fresh) out.detail = StrCat("no sign of life for ", SecondsToString(out.heartbeat_age_s));
    }
    return out;
  }
  // Not in a queue: what is known comes from the file and, on this machine, from the process.
  if (said == "running" && !gone && in.process_lives.value_or(fresh)) {
    out.state = fresh ? "running" : "stalled";
    if (!fresh) out.detail = StrCat("no sign of life for ", SecondsToString(out.heartbeat_age_s));
    return out;
  }
  if (in.cancelled) {
    out.state = "cancelled";
    out.detail = HowToGoOn(run);
    return out;
  }
  if (said == "checkpointed") {
    out.state = "stopped";
    out.detail = HowToGoOn(run);
  } else if (said == "running" || in.queue_known) {
    out.state = "lost";
    out.detail = HowToGoOn(run);
  } else {
    out.state = in.is_run ? "stopped" : "unknown";
    if (in.is_run) out.detail = "go on with: nas search --resume and the same flags";
  }
  return out;
}

std::vector<RunStatus> LookAtRuns(const std::vector<fs::path>& runs, Scheduler* scheduler) {
  std::map<std::string, std::vector<QueueEntry>> asked;  // by job without task
  std::vector<RunStatus> statuses;
  for (const fs::path& run : runs) {
    StatusInputs in;
    in.is_run = RunFolder::IsRun(run);
    if (!in.is_run && !Exists(run / "jobs.jsonl")) {
      ThrowInput(StrCat(run.string(), " is neither a run nor a sweep nor a known job; see the folders under runs/"));
    }
    in.job = ReadJobLog(run).last_job();
    in.file = ReadStatusFile(run);
    in.cancelled = IsCancelled(run);
    in.finished = Exists(run / "result.json");
    in.now = UnixSeconds();
    if (in.file) in.process_lives = ProcessOf(*in.file);
    if (scheduler != nullptr && IsBatchJob(in.job) && !in.finished) {
      const std::string base = in.job.substr(0, in.job.find('_'));
      auto it = asked.find(base);
      if (it == asked.end()) it = asked.emplace(base, scheduler->Query(base)).first;
      if (const QueueEntry* entry = FindEntry(it->second, in.job)) in.queue = *entry;
      if (in.queue &&
          (in.queue->state == "COMPLETED" || in.queue->state == "FAILED" || in.queue->state == "CANCELLED" ||
           in.queue->state == "TIMEOUT" || in.queue->state == "NODE_FAIL")) {
        in.queue.reset();  // remembered for a while after the end
      }
      in.queue_known = true;
    }
    statuses.push_back(DecideStatus(run, in));
  }
  return statuses;
}

namespace {

bool HasJob(const fs::path& run, const std::string& job) {
  const JobLog log = ReadJobLog(run);
  const auto matches = [&](const std::string& id) { return id == job || StartsWith(id, job + "_"); };
  if (matches(log.submitted_job)) return true;
  for (const Incarnation& start : log.incarnations) {
    if (matches(start.job)) return true;
  }
  return false;
}

NamedRuns RunsOfFolder(const fs::path& folder) {
  if (!IsSweep(folder)) return {{folder}, ""};
  NamedRuns named;
  named.sweep = folder.string();
  for (const SweepPoint& point : ReadSweep(folder)) named.runs.push_back(point.run);
  return named;
}

}  // namespace

NamedRuns FindRuns(const std::string& name, const fs::path& runs_dir) {
  if (Exists(name) || !IsBatchJob(name)) return RunsOfFolder(name);
  NamedRuns named;
  std::error_code error;
  for (fs::recursive_directory_iterator it(runs_dir, error), end; !error && it != end; it.increment(error)) {
    if (it.depth() >= 2) it.disable_recursion_pending();
    if (it->path().filename() == "jobs.jsonl" && HasJob(it->path().parent_path(), name)) {
      named.runs.push_back(it->path().parent_path());
    }
  }
  if (!named.runs.empty()) {
    std::sort(named.runs.begin(), named.runs.end());
    return named;
  }
  const std::string script = ScriptOfJob(name);
  if (script.empty()) ThrowInput(StrCat("nothing is known of job ", name, "; give the run folder"));
  return RunsOfFolder(fs::path(script).parent_path());
}

Json ToJson(const RunStatus& status) {
  Json json = status.file ? *status.file : Json{{"run", status.run.string()}};
  json["schema"] = "nas.status/1";
  json["job"] = status.job.empty() ? Field(status, "job") : Json(status.job);
  json["state"] = status.state;
  json["detail"] = status.detail;
  json["exit"] = status.exit ? Json(*status.exit) : Json(nullptr);
  json["queue"] = nullptr;
  if (status.queue) {
    json["queue"] = {{"state", status.queue->state}, {"reason", status.queue->reason}, {"start", status.queue->start}};
  }
  json["heartbeat_age_s"] = status.heartbeat_age_s >= 0 ? Json(status.heartbeat_age_s) : Json(nullptr);
  for (const char* inner : {"host_id", "pid_start"}) json.erase(inner);
  return json;
}

std::string ToTable(const std::vector<RunStatus>& runs, bool color) {
  TablePrinter table({"run", "state", "job", "phase", "epoch", "done", "left", "loss", "accuracy", "what"});
  for (const RunStatus& status : runs) {
    const Json progress = Field(status, "progress");
    const Json eta = Field(status, "eta_s");
    const Json accuracy = Field(status, "accuracy");
    const Json phase = Field(status, "phase");
    const bool live = status.state == "running";
    table.AddRow({status.run.string(), status.state, status.job.empty() ? "-" : status.job,
                  phase.is_string() && !phase.get<std::string>().empty() ? phase.get<std::string>() : "-",
                  StrCat(Shown(Field(status, "epoch"), 0), "/", Shown(Field(status, "epochs"), 0)),
                  progress.is_number() ? Fixed(100 * progress.get<double>(), 0) + " %" : "-",
                  live && eta.is_number() ? SecondsToString(eta.get<double>()) : "-", Shown(Field(status, "loss"), 3),
                  accuracy.is_number() ? Fixed(100 * accuracy.get<double>(), 1) + " %" : "-", status.detail});
  }
  return table.ToString(color);
}

bool Resumable(const fs::path& run, const std::string& own_job) {
  if (Exists(run / "result.json") || IsCancelled(run)) return false;
  const JobLog log = ReadJobLog(run);
  const bool is_run = RunFolder::IsRun(run);
  if (!is_run && log.args.empty()) return false;
  if (const auto status = ReadStatusFile(run)) {
    const std::string said = status->value("state", "");
    if (said == "finished" || said == "failed") return false;
    const bool fresh = UnixSeconds() - status->value("time", 0.0) < kStaleSeconds;
    const bool foreign = status->value("job", "") != own_job;
    if (said == "running" && foreign && fresh && ProcessOf(*status).value_or(true)) return false;
  }
  if (const std::string guard = RestartGuard(run, log); !guard.empty()) ThrowInternal(guard);
  return true;
}

}  // namespace nas
