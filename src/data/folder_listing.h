// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "image_store.h"

namespace nas::detail {

/// The image files of a folder of class folders, before any is opened; a pack holds the listing of its folder.
struct FolderListing {
  std::filesystem::path root;
  std::shared_ptr<const ImageStore> store;  ///< reads the files; never null once listed
  std::vector<std::string> classes;         ///< sorted
  std::vector<ListedFile> train;            ///< by class, then by name
  std::vector<ListedFile> test;             ///< empty where `test_folder` is
  std::string test_folder;                  ///< "test", "valid", … or "" where there is none
  std::vector<std::string> notes;
  std::vector<std::string> problems;  ///< classes without images and the like: the set cannot be used
  std::string hash;                   ///< of all names and sizes
  std::int64_t pack_shards = 0;       ///< of a pack; 0 for a folder
  std::int64_t pack_bytes = 0;        ///< in its shards
};

/// Reads `train/<class>/*` with `val|valid|test/<class>/*`, or `<class>/*`. Class folders may be nested; hidden files
/// and files without the ending of a JPEG or PNG are passed over. Throws kInput when the folder is missing or has no
/// class. A pack gives what its folder gave; throws kInput where it is damaged.
FolderListing ListFolder(const std::string& path);

}  // namespace nas::detail
