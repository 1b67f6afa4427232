// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/rank_launcher.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "listening_socket.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/text.h"
#include "nas/dist/child_process.h"

namespace nas {
namespace {

constexpr int kCheckpointed = 75;
constexpr int kSignalExit = 128;
constexpr double kGrace = 10;  ///< seconds that ranks have to follow rank 0

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

struct RankProcess {
  ChildProcess process;
  Descriptor err;  ///< of ranks other than 0
  std::string line;
};

/// Passes what has come, line by line; false at the end.
bool PassLines(RankProcess& rank, int index) {
  std::array<char, 4096> buffer{};
  const ssize_t count = ::read(rank.err.get(), buffer.data(), buffer.size());
  if (count > 0) rank.line.append(buffer.data(), static_cast<std::size_t>(count));
  if (count <= 0 && !rank.line.empty()) rank.line += '\n';
  std::size_t begin = 0;
  for (std::size_t end = rank.line.find('\n'); end != std::string::npos; end = rank.line.find('\n', begin)) {
    const std::string text = StrCat("[", index, "] ", rank.line.substr(begin, end + 1 - begin));
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    begin = end + 1;
  }
  rank.line.erase(0, begin);
  return count > 0;
}

/// Stopped by a signal: it will not come back by itself.
bool Frozen(int pid) {
  std::ifstream file(StrCat("/proc/", pid, "/stat"));
  std::string text;
  std::getline(file, text);
  const std::size_t close = text.rfind(')');
  return close != std::string::npos && close + 2 < text.size() && (text[close + 2] == 'T' || text[close + 2] == 't');
}

std::string EndOf(int exit) {
  if (exit <= kSignalExit) return StrCat("ended with exit ", exit);
  const char* name = ::sigabbrev_np(exit - kSignalExit);
  return StrCat("was ended by SIG", name == nullptr ? std::to_string(exit - kSignalExit) : name);
}

/// The run's code: an own error of a rank before 75, which is what a lost rank leaves.
int CodeOf(const std::vector<int>& exits) {
  if (exits[0] == 0) return 0;
  for (const int exit : exits) {
    if (exit > 0 && exit < kSignalExit && exit != kCheckpointed) return exit;
  }
  return kCheckpointed;
}

}  // namespace

int LaunchRanks(const LaunchOptions& options) {
  auto listener = detail::ListeningSocket::Open(detail::ListeningSocket::Where::kLoopback, /*port=*/0);
  if (!listener) {
    throw Error(ErrorKind::kUnavailable, StrCat("the ranks have no place to meet: no port of 127.0.0.1 can be bound (",
                                                std::strerror(errno), ")"));
  }
  std::vector<RankProcess> ranks;
  for (int rank = 0; rank < options.ranks; ++rank) {
    ChildOptions child;
    child.argv = options.argv;
    child.environment = {{"RANK", std::to_string(rank)},
                         {"LOCAL_RANK", std::to_string(rank)},
                         {"WORLD_SIZE", std::to_string(options.ranks)},
                         {"LOCAL_WORLD_SIZE", std::to_string(options.ranks)},
                         {"MASTER_ADDR", "127.0.0.1"},
                         {"MASTER_PORT", std::to_string(listener->port())},
                         {"NAS_LAUNCHED_HERE", "1"}};
    Descriptor reader;
    Descriptor writer;
    Descriptor nothing;
    if (rank == 0) {
      child.kept = listener->fd();
      child.environment.emplace_back("NAS_STORE_FD", std::to_string(listener->fd()));
    } else {
      std::array<int, 2> ends{};
      if (::pipe2(ends.data(), O_CLOEXEC) != 0) ThrowInternal("cannot make a pipe");
      reader = Descriptor(ends[0]);
      writer = Descriptor(ends[1]);
      nothing = Descriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC));
      child.out = nothing.get();
      child.err = writer.get();
    }
    ranks.push_back({ChildProcess(child), std::move(reader), ""});
  }
  listener->Close();

  std::vector<std::optional<int>> exits(ranks.size());
  bool told_to_stop = false;
  bool told_of_death = false;
  std::optional<Stopwatch> since_death;
  std::optional<Stopwatch> since_root;
  while (true) {
    std::vector<pollfd> waiting;
    for (const RankProcess& rank : ranks) {
      if (rank.err.get() >= 0) waiting.push_back({rank.err.get(), POLLIN, 0});
    }
    ::poll(waiting.data(), waiting.size(), /*milliseconds=*/50);
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      for (const pollfd& ready : waiting) {
        if (ready.fd != ranks[r].err.get() || ready.revents == 0) continue;
        if (!PassLines(ranks[r], static_cast<int>(r))) ranks[r].err.Close();
        break;
      }
    }
    if (!told_to_stop && options.stop != nullptr && options.stop->requested()) {
      told_to_stop = true;
      for (const RankProcess& rank : ranks) rank.process.Signal(SIGTERM);
    }
    bool all_ended = true;
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      if (!exits[r]) exits[r] = ranks[r].process.Poll();
      all_ended = all_ended && exits[r];
      if (!exits[r] || *exits[r] == 0 || told_of_death) continue;
      if (*exits[r] >= kSignalExit)
        LogError(
            StrCat("rank ", r, " ", EndOf(*exits[r]), "; the others stop: go on with --resume and the same flags"));
      told_of_death = true;
      since_death.emplace();
    }
    if (all_ended) break;
    // Rank 0 is the last that has anything to write.
    if (exits[0] && !since_root) since_root.emplace();
    bool all_frozen = true;
    for (std::size_t r = 0; r < ranks.size(); ++r)
      all_frozen = all_frozen && (exits[r] || Frozen(ranks[r].process.pid()));
    const double leave_s = all_frozen ? kGrace / 4 : options.leave_s;
    if ((since_death && since_death->Seconds() > leave_s) || (since_root && since_root->Seconds() > kGrace)) {
      for (const RankProcess& rank : ranks) rank.process.Signal(SIGKILL);
    }
  }
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    while (ranks[r].err.get() >= 0 && PassLines(ranks[r], static_cast<int>(r))) {
    }
  }
  std::vector<int> codes;
  for (const auto& exit : exits) codes.push_back(*exit);
  return CodeOf(codes);
}

}  // namespace nas
