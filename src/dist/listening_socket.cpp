// SPDX-License-Identifier: Apache-2.0
#include "listening_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace nas::detail {
namespace {

/// The bound port, 0 where it cannot be had.
int Bind(int fd, const sockaddr* address, socklen_t length) {
  constexpr int kOn = 1;
  // A start that follows another one at once: connections of the last one may still be closing.
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  sockaddr_storage bound{};
  socklen_t bound_length = sizeof bound;
  if (::bind(fd, address, length) != 0 || ::listen(fd, SOMAXCONN) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &bound_length) != 0) {
    return 0;
  }
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

int BindIpv4(int fd, ListeningSocket::Where where, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(where == ListeningSocket::Where::kLoopback ? INADDR_LOOPBACK : INADDR_ANY);
  return Bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

int BindBoth(int fd, int port) {
  constexpr int kOff = 0;
  ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &kOff, sizeof kOff);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<std::uint16_t>(port));
  address.sin6_addr = in6addr_any;
  return Bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

std::optional<ListeningSocket> ListeningSocket::Open(Where where, int port) {
  const bool both = where == Where::kAllAddresses;
  for (const int family : {AF_INET6, AF_INET}) {
    if (family == AF_INET6 && !both) continue;
    ListeningSocket socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), 0);
    if (socket.fd() < 0) continue;
    socket.port_ = family == AF_INET6 ? BindBoth(socket.fd(), port) : BindIpv4(socket.fd(), where, port);
    if (socket.port_ > 0) return socket;
    if (errno == EADDRINUSE) return std::nullopt;
  }
  return std::nullopt;
}

ListeningSocket::~ListeningSocket() { Close(); }

void ListeningSocket::Close() {
  if (fd_ < 0) return;
  const int error = errno;  // of what failed before
  ::close(std::exchange(fd_, -1));
  errno = error;
}

}  // namespace nas::detail
