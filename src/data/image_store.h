// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "image_decoder.h"

namespace nas::detail {

struct ListedFile {
  std::string name;  ///< relative to the root
  int label = 0;
  std::int64_t bytes = 0;    ///< −1 where the system does not tell (a broken link)
  std::int64_t record = -1;  ///< position in a pack's index; −1 in a folder
};

/// What a look at one file has told.
struct ExaminedFile {
  bool usable = false;
  BadKind bad = BadKind::kUnreadable;    ///< holds where not usable
  ImageInfo info;                        ///< holds where usable
  const std::uint8_t* pixels = nullptr;  ///< where they were kept
};

/// Where the bytes of a listed set come from: a folder of files or a pack. Safe to read from several threads.
class ImageStore {
 public:
  virtual ~ImageStore() = default;
  /// The whole image file. Throws DecodeError where that one file is no use, kInput where the store itself is damaged.
  virtual std::string Read(const ListedFile& file) const = 0;
  /// Magic bytes, size, end marker; a file without an end marker is decoded. Throws kInput as `Read`.
  virtual ExaminedFile ExamineHeader(const ListedFile& file) const = 0;
  /// Path of the file, for messages.
  virtual std::string Describe(const ListedFile& file) const = 0;
  /// These files are wanted soon, in any order; a hint.
  virtual void WillRead(std::span<const ListedFile* const> /*files*/) const {}
};

inline ByteSpan AsBytes(const std::string& content) {
  return {reinterpret_cast<const std::uint8_t*>(content.data()), content.size()};
}

}  // namespace nas::detail
