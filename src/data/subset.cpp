// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/data/dataset.h"

namespace nas {
namespace {

class SubsetDataset : public Dataset {
 public:
  SubsetDataset(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices)
      : dataset_(std::move(dataset)), indices_(std::move(indices)) {
    for (const std::int64_t index : indices_) {
      if (index < 0 || index >= dataset_->size()) ThrowInternal(StrCat("image ", index, " of ", dataset_->size()));
    }
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  const std::vector<std::string>& class_names() const override { return dataset_->class_names(); }
  int label(std::int64_t index) const override { return dataset_->label(At(index)); }
  Image Get(std::int64_t index) const override { return dataset_->Get(At(index)); }
  std::string Describe(std::int64_t index) const override { return dataset_->Describe(At(index)); }
  ImageView Borrow(std::int64_t index) const override { return dataset_->Borrow(At(index)); }
  void WillRead(std::span<const std::int64_t> indices) const override {
    std::vector<std::int64_t> inner;
    inner.reserve(indices.size());
    for (const std::int64_t index : indices) inner.push_back(At(index));
    dataset_->WillRead(inner);
  }
  void GetResized(std::int64_t index, const ResizePlanner& planner, Image* out) const override {
    dataset_->GetResized(At(index), planner, out);
  }

 private:
  std::int64_t At(std::int64_t index) const {
    if (index < 0 || index >= size()) ThrowInternal(StrCat("image ", index, " of ", size()));
    return indices_[static_cast<std::size_t>(index)];
  }

  std::shared_ptr<const Dataset> dataset_;
  std::vector<std::int64_t> indices_;
};

}  // namespace

std::shared_ptr<const Dataset> Subset(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices) {
  return std::make_shared<SubsetDataset>(std::move(dataset), std::move(indices));
}

}  // namespace nas
