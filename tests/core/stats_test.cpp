// SPDX-License-Identifier: Apache-2.0
#include "nas/core/stats.h"

#include <cmath>
#include <vector>

#include "core/expect_error.h"
#include "nas/core/rng.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

using Values = std::vector<double>;

// The definition, pair by pair.
double SlowKendall(const Values& a, const Values& b) {
  double score = 0;
  double untied_a = 0;
  double untied_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double da = a[i] - a[j];
      const double db = b[i] - b[j];
      if (da * db > 0) score += 1;
      if (da * db < 0) score -= 1;
      if (da != 0) untied_a += 1;
      if (db != 0) untied_b += 1;
    }
  }
  return score / std::sqrt(untied_a * untied_b);
}

Values RandomValues(CounterRng* rng, std::size_t n, std::uint64_t distinct) {
  Values values(n);
  for (double& value : values) value = static_cast<double>(rng->Below(distinct));
  return values;
}

TEST_CASE("mean, deviation, median, quantiles") {
  const Values values = {4, 1, 3, 2};
  CHECK(Mean(values) == 2.5);
  CHECK(StdDev(values) == Approx(std::sqrt(5.0 / 3)));
  CHECK(Median(values) == 2.5);
  CHECK(Quantile(values, 0) == 1);
  CHECK(Quantile(values, 1) == 4);
  CHECK(Quantile(values, 0.25) == Approx(1.75));
  CHECK(Quantile(values, 0.9) == Approx(3.7));
  CHECK(MedianAbsoluteDeviation(Values{1, 1, 2, 2, 4, 6, 9}) == 1);
  const Values one = {7};
  CHECK(Mean(one) == 7);
  CHECK(StdDev(one) == 0);
  CHECK(Quantile(one, 0.3) == 7);
  CHECK(std::isnan(Mean(Values{})));
  CHECK(std::isnan(Median(Values{})));
}

TEST_CASE("Pearson and Spearman") {
  const Values a = {1, 2, 3, 4, 5};
  CHECK(Pearson(a, Values{2, 4, 6, 8, 10}) == Approx(1));
  CHECK(Pearson(a, Values{5, 4, 3, 2, 1}) == Approx(-1));
  CHECK(Pearson(a, Values{1, 3, 2, 5, 4}) == Approx(0.8));
  CHECK(Spearman(a, Values{1, 8, 27, 64, 1000}) == Approx(1));
  CHECK(Spearman(a, Values{1, 3, 2, 5, 4}) == Approx(0.8));
  // Ties at mean rank: ranks of b are 1.5, 1.5, 3, 4.5, 4.5.
  CHECK(Spearman(a, Values{0, 0, 1, 2, 2}) == Approx(9 / std::sqrt(10 * 9.0)));
  CHECK(std::isnan(Spearman(a, Values{3, 3, 3, 3, 3})));
  CHECK(std::isnan(Pearson(Values{1}, Values{1})));
  CHECK(testing::MessageOf(ErrorKind::kInternal, [&] { Pearson(a, Values{1}); }).find("5 and 1") != std::string::npos);
}

TEST_CASE("Kendall's tau-b agrees with its definition, ties included") {
  CounterRng rng(1);
  for (int i = 0; i < 300; ++i) {
    const std::size_t n = 2 + rng.Below(30);
    const Values a = RandomValues(&rng, n, 2 + rng.Below(20));
    const Values b = RandomValues(&rng, n, 2 + rng.Below(20));
    const double expected = SlowKendall(a, b);
    const double tau = KendallTauB(a, b);
    if (std::isnan(expected)) {
      CHECK(std::isnan(tau));
    } else {
      REQUIRE(tau == Approx(expected).margin(1e-12));
    }
  }
  CHECK(std::isnan(KendallTauB(Values{1, 1, 1}, Values{1, 2, 3})));
  CHECK(std::isnan(KendallTauB(Values{}, Values{})));
}

TEST_CASE("rank correlations ignore monotone transformations") {
  CounterRng rng(2);
  Values a(50);
  Values b(50);
  Values exp_a(50);
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] = rng.Normal();
    b[i] = a[i] + rng.Normal();
    exp_a[i] = std::exp(a[i]);
  }
  CHECK(Spearman(exp_a, b) == Approx(Spearman(a, b)));
  CHECK(KendallTauB(exp_a, b) == Approx(KendallTauB(a, b)));
  CHECK(Pearson(exp_a, b) != Approx(Pearson(a, b)));
}

TEST_CASE("the bootstrap interval covers the mean about as often as it says") {
  CounterRng rng(3);
  int covered = 0;
  constexpr int kTrials = 200;
  for (int trial = 0; trial < kTrials; ++trial) {
    Values values(40);
    for (double& value : values) value = 5 + rng.Normal();
    const auto [low, high] = BootstrapMeanInterval(values, static_cast<std::uint64_t>(trial));
    CHECK(low < high);
    covered += low <= 5 && 5 <= high ? 1 : 0;
  }
  CHECK(covered >= 0.87 * kTrials);
  CHECK(covered < kTrials);
  const Values values = {1, 2, 3, 10};
  CHECK(BootstrapMeanInterval(values, 1) == BootstrapMeanInterval(values, 1));
  const Values constant = {2, 2, 2};
  CHECK(BootstrapMeanInterval(constant, 1) == std::pair(2.0, 2.0));
}

}  // namespace
}  // namespace nas
