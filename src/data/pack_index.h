// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "image_store.h"

namespace nas::detail {

inline constexpr const char* kPackIndexName = "pack.index";
inline constexpr const char* kPartialIndexName = "pack.partial";  ///< of a pack that is not finished

/// One file of the packed folder. Unusable ones have no bytes in a shard.
struct PackRecord {
  std::string name;
  int label = 0;
  std::int64_t listed_bytes = 0;  ///< as `ListedFile::bytes`
  std::uint32_t shard = 0;
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
  std::uint64_t checksum = 0;  ///< XXH3-64 of the bytes
  ExaminedFile examined;       ///< by header
};

/// What a pack holds: the listing of its folder, and where each file is. Records stand in the order of the listing,
/// training files first.
struct PackIndex {
  std::string listing_hash;
  std::int64_t shard_bytes = 0;           ///< size at which a shard was closed
  std::vector<std::int64_t> shard_sizes;  ///< bytes of each shard file
  std::vector<std::string> classes;
  std::string test_folder;
  std::vector<std::string> notes;
  std::int64_t train_records = 0;
  std::int64_t total_records = 0;   ///< of the finished pack
  std::vector<PackRecord> records;  ///< fewer than `total_records` while the pack is being written
};

/// `shard-00017.bin`.
std::string ShardName(std::size_t shard);

std::uint64_t RecordChecksum(std::string_view bytes);

/// Layout, little-endian: "NASPACK1", u64 bytes of the body, u64 XXH3-64 of the body, body. Body: fields in the order
/// above; text as u32 length and bytes, lists as u64 count and elements.
std::string EncodePackIndex(const PackIndex& index);

/// Throws kInput naming `path` and what is wrong: not an index, cut off, checksum, or a value out of range.
PackIndex DecodePackIndex(std::string_view content, const std::string& path);

}  // namespace nas::detail
