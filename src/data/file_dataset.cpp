// SPDX-License-Identifier: Apache-2.0
#include "file_dataset.h"

#include <utility>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {

FileDataset::FileDataset(std::vector<std::string> class_names, std::shared_ptr<const ImageStore> store,
                         std::vector<ListedFile> files)
    : class_names_(std::move(class_names)), store_(std::move(store)), files_(std::move(files)) {}

const ListedFile& FileDataset::At(std::int64_t index) const {
  if (index < 0 || index >= size()) ThrowInternal(StrCat("image ", index, " of ", size()));
  return files_[static_cast<std::size_t>(index)];
}

std::string FileDataset::Describe(std::int64_t index) const { return store_->Describe(At(index)); }

void FileDataset::WillRead(std::span<const std::int64_t> indices) const {
  std::vector<const ListedFile*> files;
  files.reserve(indices.size());
  for (const std::int64_t index : indices) files.push_back(&At(index));
  store_->WillRead(files);
}

template <typename Decode>
void FileDataset::Read(std::int64_t index, const Decode& decode) const {
  try {
    const std::string content = store_->Read(At(index));
    decode(AsBytes(content));
  } catch (const DecodeError& error) {
    ThrowInput(StrCat(Describe(index), " cannot be decoded any more (", Name(error.kind()), ": ", error.what(),
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
