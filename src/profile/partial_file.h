// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "nas/device/item_result.h"
#include "nas/latency/device_identity.h"

namespace nas::detail {

/// What a partial file belongs to: results of another plan or another device are never mixed in.
struct PartialHeader {
  DeviceIdentity identity;
  std::string space;  ///< name, resolution, classes and width of the space
  std::string plan;   ///< "quick", "full", with what changes its items
  std::uint64_t seed = 0;
  int run = 1;
  std::string start;  ///< ISO 8601, of the first process
};

/// `<out>.partial.jsonl`: the header, then one result per line as they come. A later line of the same item replaces an
/// earlier one.
class PartialFile {
 public:
  static std::filesystem::path PathFor(const std::string& out);

  /// Starts a new file. Throws kInput when the place cannot be written.
  static PartialFile Create(const std::filesystem::path& path, const PartialHeader& header);
  /// Goes on with a file. A line cut short by a crash is dropped. Throws kInput naming the differences when the file
  /// belongs to another device or plan, or is damaged.
  static PartialFile Resume(const std::filesystem::path& path, const PartialHeader& header);

  const PartialHeader& header() const { return header_; }
  const std::map<std::string, ItemResult>& results() const { return results_; }
  void Add(const ItemResult& result);
  void Remove();

 private:
  PartialFile(std::filesystem::path path, PartialHeader header);
  void Rewrite() const;

  std::filesystem::path path_;
  PartialHeader header_;
  std::map<std::string, ItemResult> results_;
};

}  // namespace nas::detail
