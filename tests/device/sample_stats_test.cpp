// SPDX-License-Identifier: Apache-2.0
#include "nas/device/sample_stats.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "nas/core/rng.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

std::vector<double> Noise(int n, double correlation, std::uint64_t seed) {
  CounterRng rng(seed);
  std::vector<double> values;
  double state = rng.Normal();
  for (int i = 0; i < n; ++i) {
    state = correlation * state + std::sqrt(1 - correlation * correlation) * rng.Normal();
    values.push_back(10 * std::exp(0.02 * state));
  }
  return values;
}

// Share of seeds whose interval holds the true median.
double Coverage(int n, double correlation, double correlated_above) {
  int covered = 0;
  const int seeds = 400;
  for (int seed = 0; seed < seeds; ++seed) {
    const auto interval = RobustMedianInterval(Noise(n, correlation, seed), 5, correlated_above);
    REQUIRE(interval);
    covered += (*interval)[0] <= 10 && 10 <= (*interval)[1];
  }
  return static_cast<double>(covered) / seeds;
}

}  // namespace

TEST_CASE("the interval of the median is made of order statistics j and n + 1 - j") {
  std::vector<double> values(100);
  std::iota(values.begin(), values.end(), 1);
  const auto interval = MedianInterval(values);
  REQUIRE(interval);
  // j = floor((100 - 19.6) / 2) = 40
  CHECK((*interval)[0] == 40);
  CHECK((*interval)[1] == 61);
  CHECK_FALSE(MedianInterval(std::vector<double>(5, 1.0)));
  CHECK(MedianInterval(std::vector<double>(20, 1.0)));
}

TEST_CASE("the interval holds the median in 95 % of the samples") {
  CHECK(Coverage(100, 0, 0.3) >= 0.93);
  CHECK(Coverage(50, 0, 0.3) >= 0.93);
}

TEST_CASE("correlated runs need window means: without them the interval is too narrow") {
  const double with = Coverage(200, 0.6, 0.3);
  const double without = Coverage(200, 0.6, /*correlated_above=*/2);
  CHECK(with >= 0.85);
  CHECK(without <= 0.80);
  CHECK(LagOneCorrelation(Noise(2000, 0.6, 3)) == Approx(0.6).margin(0.05));
  CHECK(std::abs(LagOneCorrelation(Noise(2000, 0, 3))) < 0.06);
  CHECK(LagOneCorrelation(std::vector<double>{2, 2, 2, 2}) == 0);
}

TEST_CASE("window means leave an incomplete window out") {
  CHECK(WindowMeans(std::vector<double>{1, 3, 5, 7, 100}, 2) == std::vector<double>{2, 6});
}

TEST_CASE("outliers lie above median + 5 MAD and above 1.05 median") {
  CHECK(OutlierShare(std::vector<double>{9, 10, 11, 10, 9, 11, 10, 10.5, 9.5, 16}) == Approx(0.1));
  CHECK(OutlierShare(std::vector<double>{10, 10, 10, 10, 10.4}) == 0);
  CHECK(OutlierShare(std::vector<double>{9.99, 10, 10.01, 10, 9.99, 10.01, 10, 10.005, 9.995, 10.2}) == 0);
  CHECK(OutlierShare(std::vector<double>{10, 10, 10, 10, 10.6}) == Approx(0.2));
}

TEST_CASE("two modes are told from one broad or skewed mode") {
  std::vector<double> one = Noise(200, 0, 1), broad, skewed, two, near, few;
  CounterRng rng(7);
  for (int i = 0; i < 200; ++i) {
    const double z = rng.Normal(), u = rng.Uniform();
    broad.push_back(10 + 2 * z);
    skewed.push_back(10 * std::exp(0.5 * std::abs(z)));
    two.push_back((u < 0.3 ? 12.5 : 10) * std::exp(0.01 * z));
    near.push_back((u < 0.3 ? 10.5 : 10) * std::exp(0.001 * z));
    few.push_back((u < 0.05 ? 12.5 : 10) * std::exp(0.01 * z));
  }
  CHECK_FALSE(IsBimodal(one, 0.1));
  CHECK_FALSE(IsBimodal(broad, 0.1));
  CHECK_FALSE(IsBimodal(skewed, 0.1));
  CHECK(IsBimodal(two, 0.1));
  CHECK_FALSE(IsBimodal(near, 0.1));
  CHECK(IsBimodal(near, 0.03));
  CHECK_FALSE(IsBimodal(few, 0.1));
}
