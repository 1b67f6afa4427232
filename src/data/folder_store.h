// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "image_store.h"

namespace nas::detail {

/// One file per image below a folder.
class FolderStore : public ImageStore {
 public:
  explicit FolderStore(std::filesystem::path root) : root_(std::move(root)) {}

  std::string Read(const ListedFile& file) const override;
  ExaminedFile ExamineHeader(const ListedFile& file) const override;
  std::string Describe(const ListedFile& file) const override { return (root_ / file.name).string(); }

 private:
  std::filesystem::path root_;
};

/// What `ImageStore::ExamineHeader` says of a file whose bytes are all at hand.
ExaminedFile ExamineBytes(ByteSpan bytes);

}  // namespace nas::detail
