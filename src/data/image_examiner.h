// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "image_store.h"
#include "nas/data/check.h"

namespace nas::detail {

enum class ExamineDepth {
  kHeader,  ///< magic bytes, size, end marker; a file without an end marker is decoded
  kDecode,  ///< every pixel
  kKeep,    ///< every pixel, and the pixels are kept
};

struct Examination {
  std::vector<ExaminedFile> files;                ///< in the order asked
  std::vector<std::vector<std::uint8_t>> blocks;  ///< with kKeep
  bool over_limit = false;                        ///< with kKeep: more pixels than allowed; the rest was not looked at
};

/// Looks at files from several threads. `byte_limit` bounds what kKeep keeps.
Examination ExamineFiles(const ImageStore& store, const std::vector<ListedFile>& files, ExamineDepth depth,
                         std::int64_t byte_limit, int threads);

/// Counts of odd and unusable files by kind, with the first names of each.
class Findings {
 public:
  void Add(const ListedFile& file, const ExaminedFile& examined);

  std::int64_t examined() const { return examined_; }
  const std::vector<DataReport::BadFile>& bad_files() const { return bad_files_; }
  std::map<std::string, std::int64_t> BadByKind() const { return Counts(bad_); }
  std::map<std::string, std::int64_t> ConvertedByKind() const { return Counts(converted_); }

  /// One sentence per kind.
  std::vector<std::string> Notes() const;
  /// Why the set is refused (more than 1 % unusable), or "".
  std::string Problem(const std::string& spec) const;

 private:
  struct Group {
    std::int64_t count = 0;
    std::vector<std::string> first;
  };
  static std::map<std::string, std::int64_t> Counts(const std::map<std::string, Group>& groups);
  static std::string Named(const Group& group);

  std::int64_t examined_ = 0;
  std::map<std::string, Group> bad_;
  std::map<std::string, Group> converted_;
  std::vector<DataReport::BadFile> bad_files_;
};

}  // namespace nas::detail
