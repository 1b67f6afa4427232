// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nas/core/json.h"

namespace nas {

/// What the loader makes of a data set (`nas data check`).
struct DataReport {
  struct ClassCount {
    std::string name;
    std::int64_t train = 0;
    std::int64_t test = 0;
  };
  struct BadFile {
    std::string path;
    std::string kind;  ///< "empty", "truncated", "corrupt", "not a JPEG or PNG", "too large", "unreadable"
  };

  std::string spec;
  std::vector<ClassCount> classes;  ///< usable images
  std::int64_t train_images = 0;    ///< sums of `classes`
  std::int64_t test_images = 0;
  bool test_carved = false;      ///< no test folder: part of the training images
  std::int64_t pack_shards = 0;  ///< of a pack (`PackData`); 0 for anything else
  std::int64_t pack_bytes = 0;   ///< in its shards
  std::string listing_hash;      ///< of folders and packs, the same for both
  std::int64_t files_examined = 0;
  std::map<std::string, std::int64_t> bad_by_kind;
  std::map<std::string, std::int64_t> converted_by_kind;  ///< "CMYK", "16-bit", "grey", "PNG named .JPEG", …
  std::vector<BadFile> bad_files;
  int smallest_side = 0;  ///< pixels
  int largest_side = 0;
  int native_side = 0;  ///< median short side
  bool small_images = false;
  std::int64_t decoded_bytes = 0;  ///< all usable images as 8-bit RGB
  std::vector<std::string> notes;
  std::vector<std::string> problems;  ///< why `OpenData` would refuse the set; empty when it would not

  bool ok() const { return problems.empty(); }
};

/// Decodes every file. Throws kInput only when there is nothing to look at (missing folder, no class).
DataReport CheckData(const std::string& spec, int threads);

/// The report as `nas data check --json` prints it, without `schema`.
Json ToJson(const DataReport& report);

}  // namespace nas
