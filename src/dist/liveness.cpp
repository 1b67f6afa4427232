// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/liveness.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "nas/core/text.h"

namespace nas {
namespace {

using Clock = std::chrono::steady_clock;

double Since(Clock::time_point then) { return std::chrono::duration<double>(Clock::now() - then).count(); }

/// Only a training step is expected to take a known time; measuring and deriving may last.
bool MayStall(std::string_view phase) { return phase != "step"; }

constexpr double kMonitorTick = 0.25;
/// A tick that lasted so long means that this process itself was frozen: its clocks prove nothing about others.
constexpr double kOwnFreeze = 3;

}  // namespace

std::string AbortRecord::ToText() const { return StrCat(rank, "\n", host, "\n", exit, "\n", told ? 1 : 0, "\n", text); }

AbortRecord AbortRecord::FromText(const std::string& text) {
  const std::vector<std::string> lines = Split(text, '\n');
  AbortRecord record;
  long long number = 0;
  if (lines.size() >= 5) {
    if (ParseInt(lines[0], &number)) record.rank = static_cast<int>(number);
    record.host = lines[1];
    if (ParseInt(lines[2], &number)) record.exit = static_cast<int>(number);
    record.told = lines[3] == "1";
    for (std::size_t i = 4; i < lines.size(); ++i) record.text += (i > 4 ? " " : "") + lines[i];
  }
  return record;
}

bool WriteAbort(KeyStore& store, const AbortRecord& record) {
  if (store.Add("aborts", 1) != 1) return false;
  store.Set("abort", record.ToText());
  return true;
}

struct Liveness::State {
  LivenessOptions options;
  std::shared_ptr<KeyStore> store;

  mutable std::mutex mutex;
  std::condition_variable wake;
  bool stop = false;
  std::optional<AbortRecord> aborted;
  Clock::time_point aborted_at;
  Clock::time_point last_round = Clock::now();
  std::int64_t step = 0;
  std::string phase = "start";
  bool beating = false;  ///< the beater thread is alive
  std::thread beater;
  std::thread monitor;

  struct Seen {
    std::string beat;
    std::string place;
    Clock::time_point beat_at = Clock::now();
    Clock::time_point place_at = Clock::now();
  };
  std::vector<Seen> seen;

  bool Pause(double seconds) {
    std::unique_lock lock(mutex);
    return wake.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return stop; });
  }
  void Note(const AbortRecord& record) {
    const std::lock_guard lock(mutex);
    if (aborted) return;
    aborted = record;
    aborted_at = Clock::now();
  }
  void Beat();
  void WatchOthers();
  void Monitor();
};

void Liveness::State::WatchOthers() {
  for (int rank = 0; rank < options.size; ++rank) {
    if (rank == options.rank) continue;
    Seen& other = seen[static_cast<std::size_t>(rank)];
    const std::optional<std::string> beat = store->Get(StrCat("hb/", rank));
    const std::vector<std::string> words = Split(beat.value_or(""), ' ');
    const std::string place = words.size() < 3 ? "" : words[1] + " " + words[2];
    if (beat && *beat != other.beat) {
      other.beat = *beat;
      other.beat_at = Clock::now();
    }
    if (place != other.place || words.size() < 3 || MayStall(words[2])) {
      other.place = place;
      other.place_at = Clock::now();
    }
    // A rank that has not come to its first heartbeat is the rendezvous' concern.
    if (other.beat.empty()) continue;
    const std::string host = words.size() > 3 ? words[3] : "?";
    if (Since(other.beat_at) > options.dead_after_s) {
      WriteAbort(*store, {rank, host, 75,
                          StrCat("rank ", rank, " (", host, ") has not answered for ",
                                 static_cast<int>(Since(other.beat_at)), " s"),
                          false});
    } else if (Since(other.place_at) > options.stall_s) {
      WriteAbort(*store, {rank, host, 75,
                          StrCat("rank ", rank, " (", host, ") stands at step ", words[1], " for ",
                                 static_cast<int>(Since(other.place_at)), " s"),
                          false});
    }
  }
}

void Liveness::State::Beat() {
  std::int64_t counter = 0;
  Clock::time_point round = Clock::now();
  Clock::time_point beaten = round - std::chrono::hours(1);
  // A record that ends the run is heard at once; heartbeats are slower.
  const double pause = std::min(0.5, options.beat_s);
  do {
    try {
      std::string beat;
      {
        const std::lock_guard lock(mutex);
        beat = StrCat(++counter, " ", step, " ", phase, " ", options.host);
      }
      const bool due = Since(beaten) >= options.beat_s;
      if (due) store->Set(StrCat("hb/", options.rank), beat);
      if (const auto record = store->Get("abort")) Note(AbortRecord::FromText(*record));
      // Frozen and thawed: the others' clocks went on without us.
      if (Since(round) > pause + kOwnFreeze) {
        for (Seen& other : seen) other.beat_at = other.place_at = Clock::now();
      }
      if (options.rank == 0 && due) WatchOthers();
      if (due) beaten = Clock::now();
    } catch (const std::exception&) {
      bool ending = false;
      {
        const std::lock_guard lock(mutex);
        ending = stop;
      }
      if (!ending) Note({0, "", 75, "the store that rank 0 keeps is gone", options.parent_tells});
      break;
    }
    round = Clock::now();
    const std::lock_guard lock(mutex);
    last_round = round;
  } while (!Pause(pause));
  const std::lock_guard lock(mutex);
  beating = false;
}

void Liveness::State::Monitor() {
  Clock::time_point tick = Clock::now();
  while (!Pause(kMonitorTick)) {
    const bool froze = Since(tick) > kOwnFreeze;
    tick = Clock::now();
    std::unique_lock lock(mutex);
    if (froze) last_round = std::max(last_round, tick);
    if (beating && !aborted && Since(last_round) > options.beat_s + options.dead_after_s) {
      aborted = AbortRecord{0, "", 75,
                            StrCat("rank 0 has not answered for ", static_cast<int>(Since(last_round)), " s"), false};
      aborted_at = tick;
    }
    if (froze && aborted) aborted_at = std::max(aborted_at, tick);
    if (aborted && Since(aborted_at) > options.leave_s && options.leave) {
      lock.unlock();
      options.leave();
      return;
    }
  }
}

Liveness::Liveness(const LivenessOptions& options, std::shared_ptr<KeyStore> store)
    : state_(std::make_shared<State>()) {
  state_->options = options;
  state_->store = std::move(store);
  state_->seen.resize(static_cast<std::size_t>(options.size));
  state_->beating = true;
  // Signals are the main thread's.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  state_->beater = std::thread([state = state_] { state->Beat(); });
  state_->monitor = std::thread([state = state_] { state->Monitor(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Liveness::~Liveness() {
  bool stuck = false;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
    stuck = state_->aborted.has_value() && state_->beating;
  }
  state_->wake.notify_all();
  state_->monitor.join();
  if (stuck) {
    state_->beater.detach();
  } else {
    state_->beater.join();
  }
}

void Liveness::Progress(std::int64_t step, std::string_view phase) {
  const std::lock_guard lock(state_->mutex);
  state_->step = step;
  state_->phase = phase;
}

std::optional<AbortRecord> Liveness::aborted() const {
  const std::lock_guard lock(state_->mutex);
  return state_->aborted;
}

}  // namespace nas
