// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/meeting.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <memory>
#include <thread>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "listening_socket.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/text.h"
#include "store_mark.h"

namespace nas {
namespace {

using detail::ListeningSocket;

constexpr std::chrono::milliseconds kAttempt{2000};
constexpr std::chrono::milliseconds kPause{200};

/// Whether anybody listens there. Asked first, since c10d's client tells the whole world of each failure.
bool Answers(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> guard(found, ::freeaddrinfo);
  bool answers = false;
  for (const addrinfo* at = found; at != nullptr && !answers; at = at->ai_next) {
    const int fd = ::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    answers = ::connect(fd, at->ai_addr, at->ai_addrlen) == 0;
    ::close(fd);
  }
  return answers;
}

/// Whether rank 0 of this start keeps its store at `port`. A foreign service there may answer in its own way, or keep
/// silent for longer than any timeout of the client: then its thread is left behind.
bool RankZeroIsAt(const GlooOptions& options, int port) {
  std::packaged_task<bool()> look([address = options.master_addr, prefix = options.prefix, port] {
    if (!Answers(address, port)) return false;
    c10d::TCPStoreOptions tcp;
    tcp.port = static_cast<std::uint16_t>(port);
    tcp.isServer = false;
    tcp.waitWorkers = false;
    tcp.timeout = kAttempt;
    c10d::PrefixStore store(prefix, c10::make_intrusive<c10d::TCPStore>(address, tcp));
    store.wait({detail::kRankZeroHere}, kAttempt);
    return true;
  });
  auto found = look.get_future();
  std::thread thread(std::move(look));
  if (found.wait_for(3 * kAttempt) != std::future_status::ready) {
    thread.detach();
    return false;
  }
  thread.join();
  try {
    return found.get();
  } catch (const std::exception&) {
    return false;  // nobody there yet, or somebody else
  }
}

int PortOfRankZero(const GlooOptions& options, const RendezvousFile& place) {
  const Stopwatch watch;
  while (watch.Seconds() < options.rendezvous_s) {
    const int published = place.Port();
    const int port = published > 0 ? published : options.master_port;
    if (RankZeroIsAt(options, port)) return port;
    std::this_thread::sleep_for(kPause);
  }
  throw Error(ErrorKind::kUnavailable,
              StrCat("rank ", options.rank, " of ", options.size, " did not meet rank 0 at ", options.master_addr, ":",
                     options.master_port, " within ", options.rendezvous_s, " s, and ", place.path().string(),
                     " names no other port; is rank 0 running, and the folder the same for all ranks?"));
}

/// Listens at the agreed port or, where that is taken, at a published one.
ListeningSocket Listen(const GlooOptions& options, const RendezvousFile& place) {
  auto socket = ListeningSocket::Open(ListeningSocket::Where::kAllAddresses, options.master_port);
  if (socket) return std::move(*socket);
  if (errno == EADDRINUSE) socket = ListeningSocket::Open(ListeningSocket::Where::kAllAddresses, /*port=*/0);
  if (!socket) {
    throw Error(ErrorKind::kUnavailable,
                StrCat("the ranks have no place to meet: port ", options.master_port, " of ", options.master_addr,
                       " cannot be bound (", std::strerror(errno), "), nor any other"));
  }
  place.Publish(socket->port());
  LogInfo(StrCat("port ", options.master_port, " is taken: the ranks meet at ", options.master_addr, ":",
                 socket->port(), " (", place.path().string(), ")"));
  return std::move(*socket);
}

}  // namespace

std::unique_ptr<Communicator> MeetRanks(GlooOptions options, const RendezvousFile& place) {
  if (options.rank == 0) {
    ListeningSocket socket = Listen(options, place);
    options.master_port = socket.port();
    options.listen_fd = socket.Release();
  } else {
    options.master_port = PortOfRankZero(options, place);
  }
  return MakeGlooCommunicator(options);
}

}  // namespace nas
