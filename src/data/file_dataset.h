// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nas/data/dataset.h"

namespace nas::detail {

/// Image files that are read and decoded each time they are asked for.
class FileDataset : public Dataset {
 public:
  struct Entry {
    std::string name;  ///< relative to the root
    int label = 0;
  };

  FileDataset(std::vector<std::string> class_names, std::filesystem::path root, std::vector<Entry> entries);

  std::int64_t size() const override { return static_cast<std::int64_t>(entries_.size()); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int label(std::int64_t index) const override { return At(index).label; }
  Image Get(std::int64_t index) const override;
  std::string Describe(std::int64_t index) const override;
  void GetResized(std::int64_t index, const ResizePlanner& planner, Image* out) const override;

 private:
  const Entry& At(std::int64_t index) const;
  template <typename Decode>
  void Read(std::int64_t index, const Decode& decode) const;

  std::vector<std::string> class_names_;
  std::filesystem::path root_;
  std::vector<Entry> entries_;
};

}  // namespace nas::detail
