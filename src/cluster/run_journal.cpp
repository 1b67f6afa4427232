// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/run_journal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "nas/cluster/job_log.h"
#include "nas/cluster/run_status.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/json.h"
#include "nas/core/log.h"
#include "nas/core/machine.h"
#include "nas/core/run_folder.h"
#include "nas/core/text.h"
#include "nas/core/units.h"

namespace nas {
namespace fs = std::filesystem;
namespace {

/// The number of the last owner mark, 0 = none.
int LastOwner(const fs::path& run) {
  int last = 0;
  std::error_code error;
  for (fs::directory_iterator it(run, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    long long number = 0;
    if (StartsWith(name, "owner-") && ParseInt(name.substr(6), &number))
      last = std::max(last, static_cast<int>(number));
  }
  return last;
}

/// Creates the mark; false when somebody else was faster. O_EXCL is atomic on NFS, too.
bool CreateOwner(const fs::path& run, int number, const std::string& job) {
  const fs::path path = run / StrCat("owner-", number);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0 && errno == EEXIST) return false;
  if (fd < 0) ThrowInput(StrCat("cannot write ", path.string(), "; is the run folder writable?"));
  const std::string text = job + "\n";
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (::close(fd) != 0 || !written) ThrowInput(StrCat("cannot write ", path.string(), "; is the disk full?"));
  return true;
}

/// "221 us" as 0.221; −1 for MACs and params.
double MillisOf(const std::string& shown) {
  std::string text = shown;
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  try {
    return ParseMillis(text).value;
  } catch (const Error&) {
    return -1;
  }
}

Json NumberOrNull(const std::string& text) {
  double value = 0;
  return ParseDouble(Split(text, ' ')[0], &value) ? Json(value) : Json(nullptr);
}

/// Unix time of the last change of a file; null when it is gone.
Json WrittenAt(const fs::path& file) {
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0) return nullptr;
  return static_cast<double>(facts.st_mtim.tv_sec) + 1e-9 * static_cast<double>(facts.st_mtim.tv_nsec);
}

double UnixSeconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string OwnInstructions() {
  const std::vector<std::string> features = ProbeMachine().features;
  const auto has = [&](const char* name) {
    return std::find(features.begin(), features.end(), name) != features.end();
  };
  return has("avx512f") || has("avx512") ? "avx512" : has("avx2") ? "avx2" : has("neon") ? "neon" : "generic";
}

std::string HostIdentity() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  std::getline(file, boot);
  return ProbeMachine().hostname + "/" + boot;
}

long long ProcessStartTicks(int pid) {
  std::ifstream file(StrCat("/proc/", pid, "/stat"));
  std::string text;
  std::getline(file, text);
  // The second field is a name in parentheses that may hold blanks; the start time is the 20th behind it.
  const std::size_t close = text.rfind(')');
  if (close == std::string::npos) return 0;
  const std::vector<std::string> fields = Split(Trim(text.substr(close + 1)), ' ');
  if (fields.size() < 20 || fields[0] == "Z") return 0;
  long long ticks = 0;
  return ParseInt(fields[19], &ticks) ? ticks : 0;
}

bool ProcessLives(int pid, long long ticks) {
  if (pid <= 0) return false;
  const long long now = ProcessStartTicks(pid);
  return now != 0 && (ticks == 0 || now == ticks);
}

struct RunJournal::State {
  Progress* inner = nullptr;
  JobIdentity identity;
  fs::path run;
  fs::path awaited;  ///< opened once it is a run
  std::chrono::steady_clock::time_point owner_checked;
  int owner = 0;
  std::string host;

  mutable std::mutex mutex;
  std::condition_variable wake;
  ProgressState look;
  bool ending = false;
  bool ended = false;
  std::thread beater;

  void RefuseForeignOwner() const;
  void CompareInstructions() const;
  Json Describe(const std::string& state, const Json& exit, const std::string& sentence) const;
  void Write(const Json& status) const { WriteFileAtomic(run / "status.json", status.dump() + "\n"); }
  bool owns() const { return LastOwner(run) <= owner; }
  void Beat();
  void StopBeating();
};

RunJournal::RunJournal(Progress* inner, JobIdentity identity) : state_(std::make_unique<State>()) {
  state_->inner = inner;
  state_->identity = std::move(identity);
  state_->host = ProbeMachine().hostname;
  if (state_->identity.job.empty()) state_->identity.job = StrCat("local:", ::getpid());
  if (state_->identity.instructions.empty()) state_->identity.instructions = OwnInstructions();
  if (state_->identity.hosts.empty()) state_->identity.hosts = {state_->host};
}

RunJournal::~RunJournal() { state_->StopBeating(); }

bool RunJournal::opened() const { return state_->owner > 0; }

void RunJournal::State::RefuseForeignOwner() const {
  const auto status = ReadStatusFile(run);
  if (!status || status->value("state", "") != "running") return;
  const std::string job = status->value("job", "");
  const auto refuse = [&] {
    ThrowInput(StrCat(run.string(), " is being written by job ", job, " on ", status->value("host", "?"),
                      "; wait for it, stop it with: nas cancel ", run.string(), ", or give another --out"));
  };
  if (status->value("host_id", "") == HostIdentity()) {
    const int pid = status->value("pid", 0);
    if (pid != ::getpid() && ProcessLives(pid, status->value("pid_start", 0LL))) refuse();
    return;
  }
  // The same batch job starts again only after its last start has ended.
  if (job == identity.job || UnixSeconds() - status->value("time", 0.0) > kStaleSeconds) return;
  LogInfo(StrCat("another job (", job, ") wrote here a short while ago; watching it for ", identity.watch_s, " s"));
  const double seen = status->value("time", 0.0);
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(identity.watch_s);
  while (std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(1.0, identity.watch_s / 10)));
    const auto again = ReadStatusFile(run);
    if (again && again->value("state", "") == "running" && again->value("time", 0.0) > seen) refuse();
  }
}

void RunJournal::State::CompareInstructions() const {
  const JobLog log = ReadJobLog(run);
  if (log.incarnations.empty() || NewestCheckpointStep(run) < 0) return;
  const std::string before = log.incarnations.back().instructions;
  if (before.empty() || before == identity.instructions) return;
  const std::string what = StrCat(run.string(), " goes on on a processor with ", identity.instructions,
                                  " where it had ", before, ": not bit-exact");
  if (identity.strict) ThrowInput(StrCat(what, "; choose such a machine, or go on without --strict"));
  LogWarning(what);
}

void RunJournal::Open(const fs::path& run) {
  State& s = *state_;
  s.run = run;
  s.RefuseForeignOwner();
  if (s.identity.restart > 0) {
    // Nobody looks at a requeued job before it starts.
    if (IsCancelled(run))
      ThrowInput(StrCat(run.string(), " was cancelled; go on with: nas submit --resume ", run.string()));
    if (const std::string guard = RestartGuard(run, ReadJobLog(run)); !guard.empty()) ThrowInternal(guard);
  }
  s.CompareInstructions();
  MakeDirectory(run);
  int number = LastOwner(run) + 1;
  while (!CreateOwner(run, number, s.identity.job)) ++number;
  s.owner = number;
  ClearCancelled(run);
  LogStart(run, {number, s.identity.job, s.identity.restart, s.host, NewestCheckpointStep(run), std::nullopt, "",
                 s.identity.instructions});
  s.Write(s.Describe("running", nullptr, ""));
  s.beater = std::thread([&s] { s.Beat(); });
}

void RunJournal::CheckOwner() const {
  const State& s = *state_;
  if (s.owner == 0) return;
  const int last = LastOwner(s.run);
  if (last <= s.owner) return;
  std::string job = "?";
  try {
    job = Trim(ReadFile(s.run / StrCat("owner-", last)));
  } catch (const Error&) {
    job = "?";
  }
  ThrowInput(StrCat(s.run.string(), " was taken over by job ", job, "; nothing more is written here"));
}

void RunJournal::OpenWhenMade(const fs::path& run) { state_->awaited = run; }

void RunJournal::Update(const ProgressState& look) {
  if (!state_->awaited.empty() && RunFolder::IsRun(state_->awaited)) {
    const fs::path run = std::exchange(state_->awaited, {});
    Open(run);
  }
  const auto now = std::chrono::steady_clock::now();
  if (opened() && now - state_->owner_checked > std::chrono::seconds(1)) {
    state_->owner_checked = now;
    CheckOwner();
  }
  if (state_->inner != nullptr) state_->inner->Update(look);
  const std::lock_guard lock(state_->mutex);
  // A phase without figures of its own (measuring, choosing) leaves those of the last one.
  ProgressState merged = look;
  const ProgressState& last = state_->look;
  if (merged.total <= 0) {
    merged.done = last.done;
    merged.total = last.total;
  }
  for (const auto& field : last.fields) {
    const bool told = std::any_of(merged.fields.begin(), merged.fields.end(),
                                  [&](const auto& other) { return other.first == field.first; });
    if (!told) merged.fields.push_back(field);
  }
  state_->look = std::move(merged);
}

void RunJournal::Finish() {
  if (state_->inner != nullptr) state_->inner->Finish();
}

Json RunJournal::State::Describe(const std::string& state, const Json& exit, const std::string& sentence) const {
  const std::lock_guard lock(mutex);
  Json status{{"schema", "nas.status/1"},
              {"run", run.string()},
              {"job", identity.job},
              {"restart", identity.restart},
              {"state", state},
              {"ranks", identity.ranks},
              {"hosts", identity.hosts},
              {"phase", look.phase},
              {"epoch", nullptr},
              {"epochs", nullptr},
              {"step", look.done},
              {"steps", look.total},
              {"progress", look.total > 0 ? Json(look.done / look.total) : Json(nullptr)},
              {"eta_s", look.seconds_left >= 0 ? Json(look.seconds_left) : Json(nullptr)},
              {"images_per_s", nullptr},
              {"loss", nullptr},
              {"accuracy", nullptr}};
  Json expected = Json::object();
  for (const auto& [name, shown] : look.fields) {
    if (name == "epoch") {
      const std::vector<std::string> parts = Split(shown, '/');
      status["epoch"] = NumberOrNull(parts[0]);
      if (parts.size() > 1) status["epochs"] = NumberOrNull(parts[1]);
    } else if (name == "loss") {
      status["loss"] = NumberOrNull(shown);
    } else if (name == "acc" || name == "accuracy") {
      status["accuracy"] = NumberOrNull(shown);
      if (status["accuracy"].is_number()) status["accuracy"] = status["accuracy"].get<double>() / 100;
    } else if (name == "img/s") {
      status["images_per_s"] = NumberOrNull(shown);
    } else if (const double ms = MillisOf(shown); ms >= 0) {
      expected[name] = ms;
    }
  }
  status["expected_ms"] = expected;
  const std::int64_t checkpoint = NewestCheckpointStep(run);
  status["checkpoint"] = nullptr;
  if (checkpoint >= 0) {
    const std::string file = StrCat("checkpoints/step-", checkpoint, ".safetensors");
    status["checkpoint"] = {{"file", file}, {"step", checkpoint}, {"time", WrittenAt(run / file)}};
  }
  status["exit"] = exit;
  status["sentence"] = sentence;
  status["incarnation"] = owner;
  status["host"] = host;
  status["host_id"] = HostIdentity();
  status["pid"] = ::getpid();
  status["pid_start"] = ProcessStartTicks(::getpid());
  status["time"] = UnixSeconds();
  return status;
}

void RunJournal::State::Beat() {
  // Signals are the main thread's.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  const auto pause = std::chrono::duration<double>(identity.beat_s);
  for (;;) {
    {
      std::unique_lock lock(mutex);
      if (wake.wait_for(lock, pause, [this] { return ending; })) return;
    }
    try {
      if (owns()) Write(Describe("running", nullptr, ""));
    } catch (const std::exception& error) {
      LogDebug(StrCat("status.json: ", error.what()));  // a full disk is told by the checkpoint
    }
  }
}

void RunJournal::State::StopBeating() {
  {
    const std::lock_guard lock(mutex);
    ending = true;
  }
  wake.notify_all();
  if (beater.joinable()) beater.join();
}

void RunJournal::End(int exit, const std::string& sentence) {
  State& s = *state_;
  s.StopBeating();
  if (s.owner == 0 || s.ended) return;
  s.ended = true;
  const int checkpointed = ExitCode(ErrorKind::kCheckpointed);
  const bool finished = exit == 0 || exit == ExitCode(ErrorKind::kInfeasible);
  try {
    LogEnd(s.run, s.owner, exit, sentence);
    if (s.owns()) {
      s.Write(s.Describe(finished ? "finished" : exit == checkpointed ? "checkpointed" : "failed", exit, sentence));
    }
  } catch (const Error& error) {
    LogWarning(StrCat("the end of the run could not be noted: ", error.what()));
  }
}

}  // namespace nas
