// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "file_descriptor.h"
#include "nas/core/files.h"

namespace nas {

FileLock::FileLock(const std::filesystem::path& path) {
  detail::FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file) detail::ThrowCannotWrite(path, errno);
  while (::flock(file.get(), LOCK_EX) != 0) {
    if (errno != EINTR) detail::ThrowCannotWrite(path, errno);
  }
  fd_ = file.Release();
}

FileLock::~FileLock() {
  // Closing releases the lock; the file stays, since removing it would let two holders lock different files.
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace nas
