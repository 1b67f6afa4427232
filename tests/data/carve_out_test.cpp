// SPDX-License-Identifier: Apache-2.0
#include <numeric>
#include <set>

#include "data/class_split.h"
#include "image_files.h"
#include "nas/data/dataset.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

/// `sizes[c]` one-pixel pictures of class c, classes interleaved; the pixel tells the index.
class CountedDataset : public Dataset {
 public:
  explicit CountedDataset(std::vector<int> sizes) : left_(std::move(sizes)) {
    for (std::size_t c = 0; c < left_.size(); ++c) names_.push_back("class" + std::to_string(c));
    for (bool any = true; any;) {
      any = false;
      for (std::size_t c = 0; c < left_.size(); ++c) {
        if (left_[c]-- > 0) {
          labels_.push_back(static_cast<int>(c));
          any = true;
        }
      }
    }
  }
  std::int64_t size() const override { return static_cast<std::int64_t>(labels_.size()); }
  const std::vector<std::string>& class_names() const override { return names_; }
  int label(std::int64_t index) const override { return labels_.at(index); }
  Image Get(std::int64_t index) const override {
    return {1, 1, {static_cast<std::uint8_t>(index >> 8), static_cast<std::uint8_t>(index & 255), 0}};
  }
  std::string Describe(std::int64_t index) const override { return "image " + std::to_string(index); }

 private:
  std::vector<int> left_;
  std::vector<std::string> names_;
  std::vector<int> labels_;
};

std::vector<int> Indices(const Dataset& dataset) {
  std::vector<int> indices;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const Image image = dataset.Get(i);
    indices.push_back(image.pixels[0] * 256 + image.pixels[1]);
  }
  return indices;
}

std::vector<int> ClassCounts(const Dataset& dataset) {
  std::vector<int> counts(dataset.classes());
  for (std::int64_t i = 0; i < dataset.size(); ++i) ++counts[dataset.label(i)];
  return counts;
}

TEST_CASE("a carve-out is class-balanced, disjoint, complete and in order", "[carve-out]") {
  const auto dataset = std::make_shared<CountedDataset>(std::vector<int>(10, 40));
  const Carved carved = CarveOut(dataset, 43, 7, 2);
  CHECK(carved.part->size() == 43);
  CHECK(carved.rest->size() == 357);
  for (const int count : ClassCounts(*carved.part)) CHECK((count == 4 || count == 5));
  const std::vector<int> part = Indices(*carved.part);
  const std::vector<int> rest = Indices(*carved.rest);
  CHECK(std::is_sorted(part.begin(), part.end()));
  CHECK(std::is_sorted(rest.begin(), rest.end()));
  std::set<int> all(part.begin(), part.end());
  all.insert(rest.begin(), rest.end());
  CHECK(all.size() == 400);
  for (std::int64_t i = 0; i < carved.part->size(); ++i) {
    CHECK(carved.part->label(i) == dataset->label(part[i]));
    CHECK(carved.part->Describe(i) == dataset->Describe(part[i]));
  }
}

TEST_CASE("the same seed carves the same images, another seed others", "[carve-out]") {
  const auto dataset = std::make_shared<CountedDataset>(std::vector<int>(5, 100));
  const auto a = Indices(*CarveOut(dataset, 50, 1, 2).part);
  const auto b = Indices(*CarveOut(dataset, 50, 1, 2).part);
  const auto c = Indices(*CarveOut(dataset, 50, 2, 2).part);
  CHECK(a == b);
  CHECK(a != c);
}

TEST_CASE("each class gives at least one image and never more than half", "[carve-out]") {
  const auto few = CarveOut(std::make_shared<CountedDataset>(std::vector<int>(8, 3)), 2, 0, 3);
  CHECK(ClassCounts(*few.part) == std::vector<int>(8, 1));

  const auto uneven = CarveOut(std::make_shared<CountedDataset>(std::vector<int>{2, 10, 200}), 60, 0, 2);
  CHECK(ClassCounts(*uneven.part) == std::vector<int>{1, 5, 54});
  CHECK(uneven.part->size() == 60);

  const auto too_many = CarveOut(std::make_shared<CountedDataset>(std::vector<int>{4, 6}), 1000, 0, 2);
  CHECK(ClassCounts(*too_many.part) == std::vector<int>{2, 3});
}

TEST_CASE("a class with too few images is named", "[carve-out]") {
  const auto dataset = std::make_shared<CountedDataset>(std::vector<int>{5, 2, 5});
  const Error error = test::ErrorOf([&] { CarveOut(dataset, 3, 0, 3); });
  CHECK(error.kind() == ErrorKind::kInput);
  CHECK(test::Contains(error.what(), "'class1'"));
  CHECK(test::Contains(error.what(), "2 images"));
  CHECK(test::Contains(error.what(), "3 are needed"));
  CHECK_NOTHROW(CarveOut(dataset, 3, 0, 2));
  const auto single = std::make_shared<CountedDataset>(std::vector<int>{5, 1});
  CHECK(test::Contains(test::ErrorOf([&] { CarveOut(single, 3, 0, 1); }).what(), "'class1' has 1 image "));
}

TEST_CASE("a subset passes everything on", "[carve-out]") {
  const auto dataset = std::make_shared<CountedDataset>(std::vector<int>{5, 5});
  const auto subset = Subset(dataset, {7, 0, 7});
  CHECK(subset->size() == 3);
  CHECK(Indices(*subset) == std::vector<int>{7, 0, 7});
  CHECK(subset->label(0) == dataset->label(7));
  CHECK(subset->class_names() == dataset->class_names());
  Image out;
  subset->GetResized(
      1, [](int, int) { return ResizePlan{0, 0, 1, 1, 2, 2, 0, 0, 2, 2}; }, &out);
  CHECK(out.width == 2);
  CHECK_THROWS_AS(Subset(dataset, {10}), Error);
  CHECK_THROWS_AS(subset->Get(3), Error);
}

}  // namespace
}  // namespace nas
