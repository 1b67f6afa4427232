// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <filesystem>
#include <utility>

namespace nas::detail {

/// Closes a file descriptor with this object.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { Close(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// Throws kInput `cannot read PATH: reason; remedy` for an errno value.
[[noreturn]] void ThrowCannotRead(const std::filesystem::path& path, int error);
/// Throws kInput `cannot write PATH: reason; remedy` for an errno value.
[[noreturn]] void ThrowCannotWrite(const std::filesystem::path& path, int error);

}  // namespace nas::detail
