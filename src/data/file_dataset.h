// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "image_store.h"
#include "nas/data/dataset.h"

namespace nas::detail {

/// Images of a folder or a pack that are read and decoded each time they are asked for.
class FileDataset : public Dataset {
 public:
  FileDataset(std::vector<std::string> class_names, std::shared_ptr<const ImageStore> store,
              std::vector<ListedFile> files);

  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  int label(std::int64_t index) const override { return At(index).label; }
  Image Get(std::int64_t index) const override;
  std::string Describe(std::int64_t index) const override;
  void WillRead(std::span<const std::int64_t> indices) const override;
  void GetResized(std::int64_t index, const ResizePlanner& planner, Image* out) const override;

 private:
  const ListedFile& At(std::int64_t index) const;
  template <typename Decode>
  void Read(std::int64_t index, const Decode& decode) const;

  std::vector<std::string> class_names_;
  std::shared_ptr<const ImageStore> store_;
  std::vector<ListedFile> files_;
};

}  // namespace nas::detail
