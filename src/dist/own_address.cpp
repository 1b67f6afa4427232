// SPDX-License-Identifier: Apache-2.0
#include "own_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {

std::string OwnAddressTowards(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) {
    throw Error(ErrorKind::kUnavailable,
                StrCat("MASTER_ADDR ", host, " is not known here (", ::gai_strerror(code), "); give its address"));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> guard(found, ::freeaddrinfo);
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    const int fd = ::socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    const bool routed = ::connect(fd, at->ai_addr, at->ai_addrlen) == 0 &&
                        ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &length) == 0;
    ::close(fd);
    std::array<char, NI_MAXHOST> text{};
    if (routed && ::getnameinfo(reinterpret_cast<const sockaddr*>(&own), length, text.data(), text.size(), nullptr, 0,
                                NI_NUMERICHOST) == 0) {
      return text.data();
    }
  }
  throw Error(ErrorKind::kUnavailable, StrCat("there is no route to MASTER_ADDR ", host));
}

}  // namespace nas::detail
