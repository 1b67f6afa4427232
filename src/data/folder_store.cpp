// SPDX-License-Identifier: Apache-2.0
#include "folder_store.h"

#include <algorithm>
#include <fstream>

namespace nas::detail {
namespace {

constexpr std::int64_t kHeadBytes = 32 << 10;  // holds the size of nearly all files, and small files whole
constexpr std::int64_t kTailBytes = 4 << 10;   // some cameras and editors add bytes after the end marker

/// The bytes of one file, read as far as they are needed.
class FileBytes {
 public:
  explicit FileBytes(const std::filesystem::path& path) : stream_(path, std::ios::binary | std::ios::ate) {
    if (!stream_) throw DecodeError(BadKind::kUnreadable, "the file cannot be opened");
    size_ = stream_.tellg();
    if (size_ < 0) throw DecodeError(BadKind::kUnreadable, "the file cannot be read");
    if (size_ == 0) throw DecodeError(BadKind::kEmpty, "the file has no bytes");
  }

  bool FitsHead() const { return size_ <= kHeadBytes; }
  std::string Head() { return Read(0, std::min(size_, kHeadBytes)); }
  std::string Tail() { return Read(std::max<std::int64_t>(size_ - kTailBytes, 0), size_); }
  std::string All() { return Read(0, size_); }

 private:
  std::string Read(std::int64_t begin, std::int64_t end) {
    std::string bytes(static_cast<std::size_t>(end - begin), '\0');
    stream_.seekg(begin);
    stream_.read(bytes.data(), end - begin);
    if (!stream_) throw DecodeError(BadKind::kUnreadable, "the file cannot be read");
    return bytes;
  }

  std::ifstream stream_;
  std::int64_t size_ = 0;
};

ImageInfo InfoOf(FileBytes* file) {
  const std::string head = file->Head();
  std::string all;
  ImageInfo info;
  try {
    info = ReadImageInfo(AsBytes(head));
  } catch (const DecodeError& error) {
    // Large embedded profiles or previews push the size beyond the first bytes.
    if (file->FitsHead() || error.kind() == BadKind::kNotAnImage || error.kind() == BadKind::kTooLarge) throw;
    all = file->All();
    info = ReadImageInfo(AsBytes(all));
  }
  if (!HasEndMarker(info.format, AsBytes(file->Tail()))) {
    if (all.empty()) all = file->All();
    DecodeImage(AsBytes(all), Damage::kRefuse);
  }
  return info;
}

template <typename ReadInfo>
ExaminedFile Examine(const ReadInfo& read_info) {
  ExaminedFile result;
  try {
    result.info = read_info();
    result.usable = true;
  } catch (const DecodeError& error) {
    result.bad = error.kind();
  }
  return result;
}

}  // namespace

std::string FolderStore::Read(const ListedFile& file) const { return FileBytes(root_ / file.name).All(); }

ExaminedFile FolderStore::ExamineHeader(const ListedFile& file) const {
  return Examine([&] {
    FileBytes bytes(root_ / file.name);
    return InfoOf(&bytes);
  });
}

ExaminedFile ExamineBytes(ByteSpan bytes) {
  return Examine([&] {
    const ImageInfo info = ReadImageInfo(bytes);
    if (!HasEndMarker(info.format, bytes.last(std::min<std::size_t>(bytes.size(), kTailBytes)))) {
      DecodeImage(bytes, Damage::kRefuse);
    }
    return info;
  });
}

}  // namespace nas::detail
