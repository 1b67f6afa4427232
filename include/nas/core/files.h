// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace nas {

/// The whole file. Throws kInput naming the path and the system's reason.
std::string ReadFile(const std::filesystem::path& path);

/// Writes through a temporary file, fsync and rename: readers see the old or the new content, never half of it.
/// Throws kInput naming the path and the system's reason (full disk, read-only); the temporary file is removed.
void WriteFileAtomic(const std::filesystem::path& path, std::string_view content);

/// Appends one line in a single write. Throws kInput like `WriteFileAtomic`.
void AppendLine(const std::filesystem::path& path, std::string_view line);

/// Makes the folder and its parents. Throws kInput when that fails or a file is in the way.
void MakeDirectory(const std::filesystem::path& path);

/// Throws kInput unless a file can be created in the folder (tried, not guessed).
void CheckWritable(const std::filesystem::path& folder);

/// A folder under the system's temporary folder that is removed with this object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Exclusive advisory lock on a file, waited for; released with this object.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace nas
