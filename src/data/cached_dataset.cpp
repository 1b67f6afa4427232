// SPDX-License-Identifier: Apache-2.0
#include "cached_dataset.h"

#include <utility>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {

CachedDataset::CachedDataset(std::vector<std::string> class_names, std::vector<std::vector<std::uint8_t>> blocks,
                             std::vector<Entry> entries)
    : class_names_(std::move(class_names)), blocks_(std::move(blocks)), entries_(std::move(entries)) {}

const CachedDataset::Entry& CachedDataset::At(std::int64_t index) const {
  if (index < 0 || index >= size()) ThrowInternal(StrCat("image ", index, " of ", size()));
  return entries_[static_cast<std::size_t>(index)];
}

Image CachedDataset::Get(std::int64_t index) const {
  const Entry& entry = At(index);
  const std::size_t bytes = static_cast<std::size_t>(entry.width) * entry.height * 3;
  return {entry.width, entry.height, std::vector<std::uint8_t>(entry.pixels, entry.pixels + bytes)};
}

ImageView CachedDataset::Borrow(std::int64_t index) const {
  const Entry& entry = At(index);
  return {entry.pixels, entry.width, entry.height};
}

}  // namespace nas::detail
