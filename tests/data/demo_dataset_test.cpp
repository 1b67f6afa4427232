// SPDX-License-Identifier: Apache-2.0
#include <Eigen/Dense>

#include "data/demo_dataset.h"
#include "nas/data/dataset.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

/// Pixels of a picture as features, 2×2 averaged: nothing linear is lost that matters, and the equations stay small.
Eigen::MatrixXf Features(const Dataset& dataset) {
  constexpr int kHalf = detail::kDemoSide / 2;
  Eigen::MatrixXf features = Eigen::MatrixXf::Zero(dataset.size(), kHalf * kHalf * 3 + 1);
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const ImageView view = dataset.Borrow(i);
    for (int y = 0; y < detail::kDemoSide; ++y) {
      for (int x = 0; x < detail::kDemoSide; ++x) {
        for (int c = 0; c < 3; ++c) {
          features(i, ((y / 2) * kHalf + x / 2) * 3 + c) +=
              (static_cast<float>(view.pixels[(y * detail::kDemoSide + x) * 3 + c]) - 128.0F) / 256.0F;
        }
      }
    }
    features(i, features.cols() - 1) = 1;
  }
  return features;
}

double Accuracy(const Eigen::MatrixXf& scores, const Dataset& dataset) {
  int right = 0;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    Eigen::Index best = 0;
    scores.row(i).maxCoeff(&best);
    right += best == dataset.label(i) ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(dataset.size());
}

TEST_CASE("the demo set is made from the seed alone", "[demo]") {
  DataOptions options;
  options.seed = 3;
  options.threads = 2;
  const DataSplits a = OpenData(options);
  options.threads = 1;
  const DataSplits b = OpenData(options);
  options.seed = 4;
  const DataSplits c = OpenData(options);
  CHECK(a.spec == "demo");
  CHECK(a.train->size() == 4000);
  CHECK(a.test->size() == 1000);
  CHECK(a.train->class_names()[0] == "circle");
  CHECK(a.native_side == 32);
  CHECK(a.small_images);
  CHECK(a.listing_hash == b.listing_hash);
  CHECK(a.listing_hash != c.listing_hash);
  std::vector<int> counts(10);
  for (std::int64_t i = 0; i < a.train->size(); ++i) {
    ++counts[a.train->label(i)];
    REQUIRE(a.train->Get(i) == b.train->Get(i));
  }
  CHECK(counts == std::vector<int>(10, 400));
  CHECK_FALSE(a.train->Get(0) == c.train->Get(0));
  CHECK_FALSE(a.train->Get(0) == a.test->Get(0));
  options.limit_per_class = 25;
  const DataSplits limited = OpenData(options);
  CHECK(limited.train->size() == 250);
  CHECK(limited.test->size() == 1000);
}

TEST_CASE("every picture of the demo set shows a figure", "[demo]") {
  const DataSplits splits = OpenData({});
  for (std::int64_t i = 0; i < splits.train->size(); ++i) {
    // Means of 2×2 squares: without a figure most pictures would have noise and a faint slope only.
    const ImageView view = splits.train->Borrow(i);
    double low = 255;
    double high = 0;
    for (int square = 0; square < 256; ++square) {
      double sum = 0;
      for (int p = 0; p < 4; ++p) {
        const int x = square % 16 * 2 + p % 2;
        const int y = square / 16 * 2 + p / 2;
        const std::uint8_t* rgb = view.pixels + (y * detail::kDemoSide + x) * 3;
        sum += 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
      }
      low = std::min(low, sum / 4);
      high = std::max(high, sum / 4);
    }
    CAPTURE(splits.train->Describe(i), splits.train->class_names()[splits.train->label(i)]);
    REQUIRE(high - low > 40);
  }
}

TEST_CASE("no linear model on pixels learns the demo set", "[demo]") {
  const DataSplits splits = OpenData({});
  const Eigen::MatrixXf train = Features(*splits.train);
  const Eigen::MatrixXf test = Features(*splits.test);
  Eigen::MatrixXf targets = Eigen::MatrixXf::Zero(splits.train->size(), splits.train->classes());
  for (std::int64_t i = 0; i < splits.train->size(); ++i) targets(i, splits.train->label(i)) = 1;
  Eigen::MatrixXf gram = Eigen::MatrixXf::Zero(train.cols(), train.cols());
  gram.selfadjointView<Eigen::Lower>().rankUpdate(train.transpose());
  const Eigen::MatrixXf right = train.transpose() * targets;
  double best = 0;
  for (const float ridge : {1.0F, 30.0F, 1000.0F}) {
    Eigen::MatrixXf system = gram;
    system.diagonal().array() += ridge;
    const Eigen::MatrixXf weights = system.selfadjointView<Eigen::Lower>().ldlt().solve(right);
    best = std::max(best, Accuracy(test * weights, *splits.test));
  }
  CAPTURE(best);
  CHECK(best < 0.45);
  CHECK(best > 0.05);
}

}  // namespace
}  // namespace nas
