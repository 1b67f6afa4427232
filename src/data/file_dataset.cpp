// SPDX-License-Identifier: Apache-2.0
#include "file_dataset.h"

#include <utility>

#include "image_decoder.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"

namespace nas::detail {

FileDataset::FileDataset(std::vector<std::string> class_names, std::filesystem::path root, std::vector<Entry> entries)
    : class_names_(std::move(class_names)), root_(std::move(root)), entries_(std::move(entries)) {}

const FileDataset::Entry& FileDataset::At(std::int64_t index) const {
  if (index < 0 || index >= size()) ThrowInternal(StrCat("image ", index, " of ", size()));
  return entries_[static_cast<std::size_t>(index)];
}

std::string FileDataset::Describe(std::int64_t index) const { return (root_ / At(index).name).string(); }

template <typename Decode>
void FileDataset::Read(std::int64_t index, const Decode& decode) const {
  const std::string path = Describe(index);
  const std::string content = ReadFile(path);
  try {
    decode(ByteSpan(reinterpret_cast<const std::uint8_t*>(content.data()), content.size()));
  } catch (const DecodeError& error) {
    ThrowInput(StrCat(path, " cannot be decoded any more (", Name(error.kind()), ": ", error.what(),
                      "); restore the file or remove it"));
  }
}

Image FileDataset::Get(std::int64_t index) const {
  Image image;
  Read(index, [&](ByteSpan bytes) { image = DecodeImage(bytes, Damage::kTolerate); });
  return image;
}

void FileDataset::GetResized(std::int64_t index, const ResizePlanner& planner, Image* out) const {
  Read(index, [&](ByteSpan bytes) { DecodeImageResized(bytes, planner, out); });
}

}  // namespace nas::detail
