// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/data/dataset.h"

namespace nas::detail {

/// Pictures held decoded in a few large blocks: no allocation per picture, reads are a copy or a borrowed view.
class CachedDataset : public Dataset {
 public:
  struct Entry {
    const std::uint8_t* pixels = nullptr;  ///< inside of one of the blocks
    int width = 0;
    int height = 0;
    int label = 0;
    std::string name;  ///< what `Describe` says
  };

  /// Blocks must not move once entries point into them: they are handed over whole.
  CachedDataset(std::vector<std::string> class_names, std::vector<std::vector<std::uint8_t>> blocks,
                std::vector<Entry> entries);

  std::int64_t size() const override { return static_cast<std::int64_t>(entries_.size()); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int label(std::int64_t index) const override { return At(index).label; }
  Image Get(std::int64_t index) const override;
  std::string Describe(std::int64_t index) const override { return At(index).name; }
  ImageView Borrow(std::int64_t index) const override;

 private:
  const Entry& At(std::int64_t index) const;

  std::vector<std::string> class_names_;
  std::vector<std::vector<std::uint8_t>> blocks_;
  std::vector<Entry> entries_;
};

}  // namespace nas::detail
