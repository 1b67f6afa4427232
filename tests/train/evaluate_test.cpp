// SPDX-License-Identifier: Apache-2.0
#include "nas/train/evaluate.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/aten_test.h"

namespace nas {
namespace {

/// `classes` × `per_class` grey pictures whose labels go round.
class Counting final : public Dataset {
 public:
  Counting(int classes, std::int64_t size) : size_(size) {
    for (int c = 0; c < classes; ++c) names_.push_back(std::to_string(c));
  }
  std::int64_t size() const override { return size_; }
  const std::vector<std::string>& class_names() const override { return names_; }
  int label(std::int64_t index) const override { return static_cast<int>(index) % classes(); }
  Image Get(std::int64_t /*index*/) const override { return {8, 8, std::vector<std::uint8_t>(8 * 8 * 3, 128)}; }
  std::string Describe(std::int64_t index) const override { return std::to_string(index); }

 private:
  std::vector<std::string> names_;
  std::int64_t size_;
};

LoaderOptions Small(int batch) {
  LoaderOptions options;
  options.batch = batch;
  options.resolution = 8;
  options.small_images = true;
  return options;
}

/// Logits that put the label of image i at rank i % classes: top-k counts are known. Position by counting calls.
struct RankedLogits {
  int classes;
  std::int64_t next = 0;
  at::Tensor operator()(const at::Tensor& images) {
    at::Tensor logits = at::zeros({images.size(0), classes});
    for (std::int64_t row = 0; row < images.size(0); ++row, ++next) {
      const std::int64_t label = next % classes;
      const std::int64_t rank = (next / classes) % classes;
      for (std::int64_t c = 0; c < classes; ++c) {
        // The label has value −rank, the others fill the remaining values 0, −1, … in order.
        logits[row][c] = static_cast<double>(-((c - label + classes + rank) % classes));
      }
    }
    return logits;
  }
};

TEST_CASE("top-1, top-5 and loss are counted over all images, whatever the batches are") {
  const int classes = 10;
  const auto dataset = std::make_shared<Counting>(classes, 100);
  const int batch = GENERATE(7, 100, 33);
  Loader loader(dataset, Small(batch));
  const Accuracy accuracy = Evaluate(RankedLogits{classes}, loader, at::kCPU);
  CHECK(accuracy.images == 100);
  CHECK(accuracy.top1 == Approx(0.1));
  CHECK(accuracy.top5 == Approx(0.5));
  double log_sum = 0;
  for (int c = 0; c < classes; ++c) log_sum += std::exp(-c);
  // −log softmax of a label at value −rank, ranks uniform in 0…9: mean = 4.5 + log Σ exp(−c).
  CHECK(accuracy.loss == Approx(4.5 + std::log(log_sum)).epsilon(1e-6));
}

TEST_CASE("a pass always starts at the loader's begin and needs no gradient") {
  Loader loader(std::make_shared<Counting>(3, 12), Small(4));
  Batch skipped;
  REQUIRE(loader.Next(&skipped));
  bool graph = true;
  const auto forward = [&](const at::Tensor& images) {
    graph = at::GradMode::is_enabled();
    return at::zeros({images.size(0), 3});
  };
  for (int pass = 0; pass < 2; ++pass) CHECK(Evaluate(forward, loader, at::kCPU).images == 12);
  CHECK_FALSE(graph);
  const Accuracy accuracy = Evaluate(forward, loader, at::kCPU);
  CHECK(accuracy.top5 == 1);  // fewer than six classes
  const Json json = ToJson(accuracy);
  CHECK(json.at("images") == 12);
  CHECK(json.at("loss").get<double>() == Approx(std::log(3.0)).epsilon(1e-6));
}

}  // namespace
}  // namespace nas
