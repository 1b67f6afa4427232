// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nas::detail {

struct ListedFile {
  std::string name;  ///< relative to the root
  int label = 0;
  std::int64_t bytes = 0;  ///< −1 where the system does not tell (a broken link)
};

/// The image files of a folder of class folders, before any is opened.
struct FolderListing {
  std::filesystem::path root;
  std::vector<std::string> classes;  ///< sorted
  std::vector<ListedFile> train;     ///< by class, then by name
  std::vector<ListedFile> test;      ///< empty where `test_folder` is
  std::string test_folder;           ///< "test", "valid", … or "" where there is none
  std::vector<std::string> notes;
  std::vector<std::string> problems;  ///< classes without images and the like: the set cannot be used
  std::string hash;                   ///< of all names and sizes
};

/// Reads `train/<class>/*` with `val|valid|test/<class>/*`, or `<class>/*`. Class folders may be nested; hidden files
/// and files without the ending of a JPEG or PNG are passed over. Throws kInput when the folder is missing or has no
/// class.
FolderListing ListFolder(const std::string& path);

}  // namespace nas::detail
