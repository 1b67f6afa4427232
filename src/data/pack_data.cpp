// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "folder_store.h"
#include "image_examiner.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/data/pack.h"
#include "pack_index.h"
#include "pack_store.h"
#include "parallel_for.h"

namespace nas {
namespace {

namespace fs = std::filesystem;
using detail::FolderListing;
using detail::ListedFile;
using detail::PackIndex;
using detail::PackRecord;

// The source is read in pieces by several threads, to hide the answer times of a network disk.
constexpr std::int64_t kPieceBytes = 32 << 20;
constexpr std::size_t kPieceFiles = 1024;

/// A shard on its way: written under another name, renamed once it is whole and on the disk.
class ShardWriter {
 public:
  ShardWriter(const fs::path& folder, std::size_t number)
      : path_(folder / detail::ShardName(number)), unfinished_(StrCat(path_.string(), ".", ::getpid(), ".tmp")) {
    fd_ = ::open(unfinished_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd_ < 0) Fail(errno);
  }
  ~ShardWriter() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(unfinished_.c_str());
  }
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  std::int64_t size() const { return size_; }

  void Append(std::string_view bytes) {
    size_ += static_cast<std::int64_t>(bytes.size());
    while (!bytes.empty()) {
      const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) Fail(errno);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void Finish() {
    // File systems that cannot sync say EINVAL; the data is as safe as they make it.
    if (::fsync(fd_) != 0 && errno != EINVAL && errno != ENOTSUP) Fail(errno);
    if (::close(std::exchange(fd_, -1)) != 0) Fail(errno);
    if (::rename(unfinished_.c_str(), path_.c_str()) != 0) Fail(errno);
  }

 private:
  [[noreturn]] void Fail(int error) const {
    ThrowInput(StrCat("cannot write ", path_.string(), ": ", std::generic_category().message(error),
                      "; make room or check the rights, then run the same command again"));
  }

  fs::path path_;
  fs::path unfinished_;
  int fd_ = -1;
  std::int64_t size_ = 0;
};

bool Within(const fs::path& inner, const fs::path& outer) {
  std::error_code error;
  const fs::path in = fs::weakly_canonical(inner, error);
  const fs::path out = fs::weakly_canonical(outer, error);
  return std::mismatch(out.begin(), out.end(), in.begin(), in.end()).first == out.end();
}

FolderListing ListSource(const PackOptions& options) {
  if (options.source == "demo" || StartsWith(options.source, "cifar10:")) {
    ThrowInput(StrCat(options.source, " is no folder of images; only such folders are packed"));
  }
  FolderListing listing = detail::ListFolder(options.source);
  if (listing.pack_shards > 0) ThrowInput(StrCat(options.source, " is a pack already; give the folder of images"));
  if (!listing.problems.empty()) ThrowInput(listing.problems.front());
  if (Within(options.out, options.source)) {
    ThrowInput(StrCat("the pack ", options.out, " would lie in the folder it packs; choose a place outside of ",
                      options.source));
  }
  return listing;
}

PackIndex EmptyIndex(const FolderListing& listing, std::int64_t shard_bytes) {
  PackIndex index;
  index.listing_hash = listing.hash;
  index.shard_bytes = shard_bytes;
  index.classes = listing.classes;
  index.test_folder = listing.test_folder;
  index.notes = listing.notes;
  index.train_records = static_cast<std::int64_t>(listing.train.size());
  index.total_records = index.train_records + static_cast<std::int64_t>(listing.test.size());
  return index;
}

/// The index in `out`, finished or not, where it is of this very listing and its shards are there.
std::optional<PackIndex> FindEarlier(const FolderListing& listing, const PackOptions& options, const char* name) {
  const fs::path path = fs::path(options.out) / name;
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  PackIndex earlier;
  try {
    earlier = detail::DecodePackIndex(ReadFile(path), path.string());
  } catch (const Error&) {
    return std::nullopt;  // the caller is told that something else is in the way
  }
  const PackIndex fresh = EmptyIndex(listing, options.shard_bytes);
  if (earlier.listing_hash != fresh.listing_hash || earlier.shard_bytes != fresh.shard_bytes ||
      earlier.total_records != fresh.total_records) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < earlier.shard_sizes.size(); ++i) {
    const auto size = fs::file_size(fs::path(options.out) / detail::ShardName(i), error);
    if (error || static_cast<std::int64_t>(size) != earlier.shard_sizes[i]) return std::nullopt;
  }
  return earlier;
}

/// Refuses to touch a folder that holds anything but a pack, and another folder's pack unless told to.
void CheckTarget(const PackOptions& options, bool resumable) {
  std::error_code error;
  if (!fs::exists(options.out, error) || resumable) return;
  if (!fs::is_directory(options.out, error)) ThrowInput(StrCat(options.out, " is a file; name a folder to make"));
  if (fs::is_empty(options.out, error)) return;
  if (!detail::IsPack(options.out)) {
    ThrowInput(StrCat(options.out, " holds other files; choose another place for the pack"));
  }
  if (!options.force) {
    ThrowInput(StrCat(options.out, " holds a pack of another folder, another state of this one, or other shards; ",
                      "choose another place, or --force to replace it"));
  }
}

void RemoveLeftovers(const fs::path& folder, std::size_t shards, bool finished) {
  std::error_code error;
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!StartsWith(name, "shard-")) continue;
    bool in_use = false;
    for (std::size_t i = 0; i < shards && !in_use; ++i) in_use = name == detail::ShardName(i);
    if (!in_use) old.push_back(entry.path());
  }
  for (const fs::path& path : old) fs::remove(path, error);
  fs::remove(folder / (finished ? detail::kPartialIndexName : detail::kPackIndexName), error);
}

struct ReadFileBytes {
  std::string bytes;
  detail::ExaminedFile examined;
};

/// Files [begin, …) of the list, as many as fit into a piece.
std::vector<ReadFileBytes> ReadPiece(const FolderListing& listing, const std::vector<const ListedFile*>& files,
                                     std::size_t begin, int threads) {
  std::size_t end = begin;
  for (std::int64_t bytes = 0; end < files.size() && end - begin < kPieceFiles && (end == begin || bytes < kPieceBytes);
       ++end) {
    bytes += std::max<std::int64_t>(files[end]->bytes, 0);
  }
  std::vector<ReadFileBytes> piece(end - begin);
  detail::ParallelFor(static_cast<std::int64_t>(piece.size()), /*grain=*/1, threads,
                      [&](std::int64_t first, std::int64_t last) {
                        for (std::int64_t i = first; i < last; ++i) {
                          ReadFileBytes& out = piece[i];
                          try {
                            out.bytes = listing.store->Read(*files[begin + i]);
                            out.examined = detail::ExamineBytes(detail::AsBytes(out.bytes));
                          } catch (const detail::DecodeError& error) {
                            out.examined.bad = error.kind();
                          }
                          if (!out.examined.usable) out.bytes.clear();
                        }
                      });
  return piece;
}

/// Writes what is missing of `index` and keeps it up to date on the disk.
class Packer {
 public:
  Packer(const FolderListing& listing, const PackOptions& options, PackIndex index)
      : listing_(listing), options_(options), index_(std::move(index)) {
    for (const auto* split : {&listing.train, &listing.test}) {
      for (const ListedFile& file : *split) files_.push_back(&file);
    }
    for (std::size_t i = 0; i < index_.records.size(); ++i) findings_.Add(*files_[i], index_.records[i].examined);
  }

  PackIndex Run() {
    // From here on the folder counts as a pack that is not finished.
    SavePartial();
    RemoveLeftovers(options_.out, index_.shard_sizes.size(), /*finished=*/false);
    for (std::size_t i = index_.records.size(); i < files_.size();) {
      for (ReadFileBytes& read : ReadPiece(listing_, files_, i, options_.threads)) {
        if (options_.stop != nullptr && options_.stop->requested()) Stop();
        Add(*files_[i++], std::move(read));
      }
      if (options_.progress) options_.progress(static_cast<std::int64_t>(i), index_.total_records);
    }
    const std::string problem = findings_.Problem(options_.source);
    if (!problem.empty()) ThrowInput(problem);
    CloseShard();
    WriteFileAtomic(fs::path(options_.out) / detail::kPackIndexName, detail::EncodePackIndex(index_));
    RemoveLeftovers(options_.out, index_.shard_sizes.size(), /*finished=*/true);
    return std::move(index_);
  }

 private:
  void Add(const ListedFile& file, ReadFileBytes read) {
    PackRecord record{file.name, file.label, file.bytes, 0, 0, 0, 0, read.examined};
    findings_.Add(file, read.examined);
    if (!read.bytes.empty()) {
      if (shard_ == nullptr) shard_ = std::make_unique<ShardWriter>(options_.out, index_.shard_sizes.size());
      record.shard = static_cast<std::uint32_t>(index_.shard_sizes.size());
      record.offset = shard_->size();
      record.bytes = static_cast<std::int64_t>(read.bytes.size());
      record.checksum = detail::RecordChecksum(read.bytes);
      shard_->Append(read.bytes);
    }
    index_.records.push_back(std::move(record));
    if (shard_ != nullptr && shard_->size() >= options_.shard_bytes) {
      CloseShard();
      SavePartial();
    }
  }

  void CloseShard() {
    if (shard_ == nullptr) return;
    shard_->Finish();
    index_.shard_sizes.push_back(shard_->size());
    shard_.reset();
  }

  void SavePartial() {
    WriteFileAtomic(fs::path(options_.out) / detail::kPartialIndexName, detail::EncodePackIndex(index_));
    saved_ = index_.records.size();
  }

  [[noreturn]] void Stop() {
    throw Error(ErrorKind::kCheckpointed, StrCat("stopped with ", saved_, " of ", index_.total_records,
                                                 " images in whole shards; run the same command again to go on"));
  }

  const FolderListing& listing_;
  const PackOptions& options_;
  PackIndex index_;
  std::vector<const ListedFile*> files_;
  detail::Findings findings_;
  std::size_t saved_ = 0;  ///< records of the index on the disk
  std::unique_ptr<ShardWriter> shard_;
};

PackResult ResultOf(const PackIndex& index, std::int64_t resumed) {
  PackResult result;
  result.images = index.total_records;
  result.shards = static_cast<std::int64_t>(index.shard_sizes.size());
  for (const std::int64_t size : index.shard_sizes) result.bytes += size;
  for (const PackRecord& record : index.records) result.unusable += record.examined.usable ? 0 : 1;
  result.resumed = resumed;
  result.listing_hash = index.listing_hash;
  return result;
}

}  // namespace

void PackOptions::Validate() const {
  if (source.empty() || out.empty()) ThrowUsage("name the folder to pack and the pack to make: nas data pack DIR OUT");
  if (shard_bytes < 1) ThrowUsage(StrCat("shard size is ", shard_bytes, " bytes; give at least 1"));
  if (threads < 1) ThrowUsage(StrCat("threads is ", threads, "; give at least 1"));
}

PackResult PackData(const PackOptions& options) {
  options.Validate();
  const FolderListing listing = ListSource(options);
  std::optional<PackIndex> earlier;
  if (!options.force) {
    earlier = FindEarlier(listing, options, detail::kPackIndexName);
    if (earlier && static_cast<std::int64_t>(earlier->records.size()) == earlier->total_records) {
      return ResultOf(*earlier, earlier->total_records);
    }
    earlier = FindEarlier(listing, options, detail::kPartialIndexName);
  }
  CheckTarget(options, earlier.has_value());
  PackIndex index = earlier ? std::move(*earlier) : EmptyIndex(listing, options.shard_bytes);
  const auto resumed = static_cast<std::int64_t>(index.records.size());
  MakeDirectory(options.out);
  return ResultOf(Packer(listing, options, std::move(index)).Run(), resumed);
}

}  // namespace nas
