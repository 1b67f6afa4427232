// SPDX-License-Identifier: Apache-2.0
#include "pack_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "pack_index.h"

namespace nas::detail {
namespace {

namespace fs = std::filesystem;

/// Records no further apart than this are asked for in one piece: a disk reads over a short gap faster than it seeks.
constexpr std::int64_t kGapBytes = 64 << 10;

/// One shard file, open for reading.
class Shard {
 public:
  /// Throws kInput where the file is missing or has not `bytes` bytes.
  Shard(std::string path, std::int64_t bytes) : path_(std::move(path)) {
    fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat facts {};
    if (fd_ < 0 || ::fstat(fd_, &facts) != 0) Fail(std::generic_category().message(errno));
    if (facts.st_size != bytes) {
      const std::string what = StrCat("has ", facts.st_size, " bytes instead of ", bytes);
      ::close(fd_);
      ThrowInput(StrCat(path_, " is damaged: it ", what, "; pack the folder again with --force"));
    }
    // Reads jump about; what is worth reading ahead is told by WillRead.
    ::posix_fadvise(fd_, 0, 0, POSIX_FADV_RANDOM);
  }
  ~Shard() {
    if (fd_ >= 0) ::close(fd_);
  }
  Shard(Shard&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  Shard& operator=(Shard&&) = delete;

  const std::string& path() const { return path_; }
  void WillRead(std::int64_t begin, std::int64_t end) const {
    ::posix_fadvise(fd_, begin, end - begin, POSIX_FADV_WILLNEED);
  }
  std::string Read(std::int64_t offset, std::int64_t bytes) const {
    std::string content(static_cast<std::size_t>(bytes), '\0');
    for (std::int64_t done = 0; done < bytes;) {
      const ssize_t count = ::pread(fd_, content.data() + done, static_cast<std::size_t>(bytes - done), offset + done);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) Fail(std::generic_category().message(errno));
      if (count == 0) Fail("it was cut off since it was opened");
      done += count;
    }
    return content;
  }

 private:
  [[noreturn]] void Fail(const std::string& reason) const {
    ThrowInput(StrCat("cannot read ", path_, ": ", reason, "; restore it or pack the folder again with --force"));
  }

  std::string path_;
  int fd_ = -1;
};

class PackStore : public ImageStore {
 public:
  PackStore(std::string root, PackIndex index) : root_(std::move(root)), index_(std::move(index)) {
    shards_.reserve(index_.shard_sizes.size());
    for (std::size_t i = 0; i < index_.shard_sizes.size(); ++i) {
      shards_.emplace_back((fs::path(root_) / ShardName(i)).string(), index_.shard_sizes[i]);
    }
  }

  std::string Read(const ListedFile& file) const override {
    const PackRecord& record = RecordOf(file);
    if (record.bytes == 0) throw DecodeError(record.examined.bad, "the file was no use when it was packed");
    const Shard& shard = shards_[record.shard];
    std::string content = shard.Read(record.offset, record.bytes);
    if (RecordChecksum(content) != record.checksum) {
      ThrowInput(StrCat(shard.path(), " is damaged: the checksum of ", record.name, " (", record.bytes, " bytes at ",
                        record.offset, ") is wrong; pack the folder again with --force"));
    }
    return content;
  }

  ExaminedFile ExamineHeader(const ListedFile& file) const override { return RecordOf(file).examined; }
  std::string Describe(const ListedFile& file) const override { return (fs::path(root_) / file.name).string(); }

  void WillRead(std::span<const ListedFile* const> files) const override {
    std::vector<const PackRecord*> wanted;
    for (const ListedFile* file : files) {
      if (RecordOf(*file).bytes > 0) wanted.push_back(&RecordOf(*file));
    }
    std::sort(wanted.begin(), wanted.end(), [](const PackRecord* a, const PackRecord* b) {
      return a->shard != b->shard ? a->shard < b->shard : a->offset < b->offset;
    });
    for (std::size_t i = 0; i < wanted.size();) {
      const PackRecord& first = *wanted[i];
      std::int64_t end = first.offset + first.bytes;
      for (++i; i < wanted.size() && wanted[i]->shard == first.shard && wanted[i]->offset - end <= kGapBytes; ++i) {
        end = std::max(end, wanted[i]->offset + wanted[i]->bytes);
      }
      shards_[first.shard].WillRead(first.offset, end);
    }
  }

  FolderListing Listing() const {
    FolderListing listing;
    listing.root = root_;
    listing.classes = index_.classes;
    listing.test_folder = index_.test_folder;
    listing.notes = index_.notes;
    listing.hash = index_.listing_hash;
    listing.pack_shards = static_cast<std::int64_t>(shards_.size());
    for (const std::int64_t size : index_.shard_sizes) listing.pack_bytes += size;
    for (std::size_t i = 0; i < index_.records.size(); ++i) {
      const PackRecord& record = index_.records[i];
      const auto position = static_cast<std::int64_t>(i);
      auto& split = position < index_.train_records ? listing.train : listing.test;
      split.push_back({record.name, record.label, record.listed_bytes, position});
    }
    return listing;
  }

 private:
  const PackRecord& RecordOf(const ListedFile& file) const {
    return index_.records.at(static_cast<std::size_t>(file.record));
  }

  std::string root_;
  PackIndex index_;
  std::vector<Shard> shards_;
};

bool Exists(const std::string& folder, const char* name) {
  std::error_code error;
  return fs::exists(fs::path(folder) / name, error);
}

}  // namespace

bool IsPack(const std::string& path) { return Exists(path, kPackIndexName) || Exists(path, kPartialIndexName); }

FolderListing OpenPack(const std::string& path) {
  if (!Exists(path, kPackIndexName)) {
    ThrowInput(StrCat("the pack ", path, " is not finished; run `nas data pack` with the same folders again"));
  }
  const std::string index_path = (fs::path(path) / kPackIndexName).string();
  PackIndex index = DecodePackIndex(ReadFile(index_path), index_path);
  if (static_cast<std::int64_t>(index.records.size()) != index.total_records) {
    ThrowInput(StrCat(index_path, " is damaged: it has ", index.records.size(), " of ", index.total_records,
                      " records; pack the folder again with --force"));
  }
  auto store = std::make_shared<PackStore>(path, std::move(index));
  FolderListing listing = store->Listing();
  listing.store = std::move(store);
  return listing;
}

}  // namespace nas::detail
