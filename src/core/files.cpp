// SPDX-License-Identifier: Apache-2.0
#include "nas/core/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "file_descriptor.h"
#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

namespace fs = std::filesystem;

namespace detail {

namespace {

std::string Reason(int error) { return std::generic_category().message(error); }

const char* WriteRemedy(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some space or choose another --out";
    case ENOENT:
      return "make its folder first or choose another --out";
    case ENOTDIR:
    case EISDIR:
      return "a file and a folder are in each other's way: choose another --out";
    case ENAMETOOLONG:
      return "choose a shorter name";
    default:
      return "check the permissions or choose another --out";
  }
}

const char* ReadRemedy(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "check the path";
    case EISDIR:
      return "name a file, not a folder";
    case EACCES:
    case EPERM:
      return "check its permissions";
    default:
      return "check the disk";
  }
}

}  // namespace

void ThrowCannotRead(const fs::path& path, int error) {
  ThrowInput(StrCat("cannot read ", path.string(), ": ", Reason(error), "; ", ReadRemedy(error)));
}

void ThrowCannotWrite(const fs::path& path, int error) {
  ThrowInput(StrCat("cannot write ", path.string(), ": ", Reason(error), "; ", WriteRemedy(error)));
}

}  // namespace detail

namespace {

using detail::FileDescriptor;
using detail::ThrowCannotRead;
using detail::ThrowCannotWrite;

// Writes everything; 0 or the errno value of the failure.
int WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

// File systems that cannot sync an object (some network and FUSE mounts) say EINVAL; the data is as safe as they make
// it.
int Sync(int fd) { return ::fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno; }

fs::path FolderOf(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

// Short on purpose: a long target name plus a suffix would exceed the limit of 255 bytes.
fs::path TemporaryName(const fs::path& folder) {
  static std::atomic<unsigned> counter{0};
  return folder / StrCat(".nas-", ::getpid(), "-", counter.fetch_add(1), ".tmp");
}

/// Removes a temporary file unless it has been renamed into place.
class TemporaryFile {
 public:
  explicit TemporaryFile(fs::path path)
      : path_(std::move(path)), file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {}
  ~TemporaryFile() {
    if (file_ && !renamed_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  explicit operator bool() const { return static_cast<bool>(file_); }
  int fd() const { return file_.get(); }
  int RenameTo(const fs::path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) return errno;
    renamed_ = true;
    return 0;
  }

 private:
  fs::path path_;
  FileDescriptor file_;
  bool renamed_ = false;
};

void WriteInPlace(const fs::path& path, std::string_view content) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) ThrowCannotWrite(path, errno);
  if (const int error = WriteAll(file.get(), content)) ThrowCannotWrite(path, error);
}

}  // namespace

std::string ReadFile(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) ThrowCannotRead(path, errno);
  struct stat status {};
  std::string content;
  std::size_t used = 0;
  if (::fstat(file.get(), &status) == 0 && status.st_size > 0) {
    content.resize(static_cast<std::size_t>(status.st_size) + 1);  // + 1: the end is seen without growing
  }
  for (;;) {
    // Files of /proc and pipes have no size: grow.
    if (used == content.size()) content.resize(std::max<std::size_t>(4096, content.size() * 2));
    const ssize_t count = ::read(file.get(), content.data() + used, content.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) ThrowCannotRead(path, errno);
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  content.resize(used);
  return content;
}

void WriteFileAtomic(const fs::path& path, std::string_view content) {
  std::error_code ignored;
  const fs::file_status existing = fs::status(path, ignored);
  // Devices and pipes (/dev/stdout, /dev/null) must not be replaced by a file.
  if (fs::exists(existing) && !fs::is_regular_file(existing) && !fs::is_directory(existing)) {
    return WriteInPlace(path, content);
  }
  if (fs::is_directory(existing)) ThrowCannotWrite(path, EISDIR);
  fs::path target = path;
  if (fs::is_symlink(fs::symlink_status(path, ignored)) && fs::exists(existing)) {
    target = fs::canonical(path, ignored);
    if (ignored) target = path;
  }
  const fs::path folder = FolderOf(target);
  TemporaryFile temporary(TemporaryName(folder));
  if (!temporary) ThrowCannotWrite(path, errno);
  if (fs::exists(existing)) ::fchmod(temporary.fd(), static_cast<mode_t>(existing.permissions()) & 07777);
  int error = WriteAll(temporary.fd(), content);
  if (error == 0) error = Sync(temporary.fd());
  if (error == 0) error = temporary.RenameTo(target);
  if (error != 0) ThrowCannotWrite(path, error);
  // The rename itself survives a power cut only once the folder is on disk.
  const FileDescriptor folder_fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder_fd) error = Sync(folder_fd.get());
  if (error != 0) ThrowCannotWrite(path, error);
}

void AppendLine(const fs::path& path, std::string_view line) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file) ThrowCannotWrite(path, errno);
  std::string text(line);
  text += '\n';
  ssize_t count = 0;
  do {
    count = ::write(file.get(), text.data(), text.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) ThrowCannotWrite(path, errno);
  if (static_cast<std::size_t>(count) == text.size()) return;
  // The disk filled up within the line: take the half line back unless somebody has written behind it.
  struct stat status {};
  const off_t end = ::lseek(file.get(), 0, SEEK_CUR);
  if (::fstat(file.get(), &status) == 0 && status.st_size == end && ::ftruncate(file.get(), end - count) != 0) {
    ThrowCannotWrite(path, errno);
  }
  ThrowCannotWrite(path, ENOSPC);
}

void MakeDirectory(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return;
  fs::create_directories(path, error);
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return;
  for (fs::path part = path; !part.empty() && part != part.root_path(); part = part.parent_path()) {
    if (fs::exists(part, ignored) && !fs::is_directory(part, ignored)) {
      ThrowInput(StrCat("cannot make the folder ", path.string(), ": ", part.string(),
                        " is a file; remove it or choose another --out"));
    }
  }
  ThrowInput(StrCat("cannot make the folder ", path.string(), ": ",
                    error ? error.message() : std::string("unknown reason"), "; ",
                    detail::WriteRemedy(error.value() == ENOENT ? EACCES : error.value())));
}

void CheckWritable(const fs::path& folder) {
  TemporaryFile probe(TemporaryName(folder));
  if (!probe) ThrowCannotWrite(folder, errno);
  // An empty file can be made on a full disk: only a block that reached it proves anything.
  int error = WriteAll(probe.fd(), std::string(4096, '.'));
  if (error == 0) error = Sync(probe.fd());
  if (error != 0) ThrowCannotWrite(folder, error);
}

TempDir::TempDir() {
  std::error_code error;
  fs::path base = fs::temp_directory_path(error);
  if (error) base = "/tmp";
  std::string name = (base / "nas-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) ThrowCannotWrite(base, errno);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace nas
