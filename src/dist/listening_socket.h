// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>

namespace nas::detail {

/// A TCP socket that listens, closed with this object.
class ListeningSocket {
 public:
  enum class Where {
    kLoopback,      ///< for ranks of this machine
    kAllAddresses,  ///< for ranks of others, too; IPv6 and IPv4 where the system has both
  };
  /// `port` 0: any free one. nullopt, and errno, where it cannot be had.
  static std::optional<ListeningSocket> Open(Where where, int port);

  ~ListeningSocket();
  ListeningSocket(ListeningSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)), port_(other.port_) {}
  ListeningSocket& operator=(ListeningSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(port_, other.port_);
    return *this;
  }

  int fd() const { return fd_; }
  int port() const { return port_; }
  /// The descriptor, for a new owner.
  int Release() { return std::exchange(fd_, -1); }
  void Close();

 private:
  ListeningSocket(int fd, int port) : fd_(fd), port_(port) {}
  int fd_ = -1;
  int port_ = 0;
};

}  // namespace nas::detail
