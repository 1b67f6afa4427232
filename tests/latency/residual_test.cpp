// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/residual.h"

#include <cmath>

#include "latency_data.h"

using namespace nas;
using namespace nas::testing;

namespace {

struct Sample {
  std::vector<ShapeVector> shapes;
  std::vector<double> y;
};

Sample MadeUpSample(size_t limit) {
  Sample sample;
  for (const auto& row : MadeUpRows()) {
    if (sample.shapes.size() == limit) break;
    sample.shapes.push_back(Shape(row.key));
    sample.y.push_back(0.1 * std::sin(sample.shapes.back()[0] + sample.shapes.back()[4]));
  }
  return sample;
}

}  // namespace

TEST_CASE("the closed-form leave-one-out error equals a fit without the row") {
  const Sample sample = MadeUpSample(40);
  const ResidualFit fit = FitResidual(sample.shapes, sample.y, {});
  // Refit by hand with the same kernel on the remaining rows: solve (K + λI)α = y.
  const size_t left_out = 7;
  const size_t n = sample.y.size() - 1;
  const auto kernel = [&](size_t i, size_t j) {
    const auto& a = fit.params.centres[i];
    const auto& b = fit.params.centres[j];
    double d = 0;
    for (size_t k = 0; k < a.size(); ++k) d += (a[k] - b[k]) * (a[k] - b[k]);
    return std::exp(-d / (2 * fit.params.length * fit.params.length));
  };
  std::vector<size_t> rest;
  for (size_t i = 0; i < sample.y.size(); ++i) {
    if (i != left_out) rest.push_back(i);
  }
  // Gauss–Jordan on the small system keeps the test free of the library under test.
  std::vector<std::vector<double>> m(n, std::vector<double>(n + 1));
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) m[i][j] = kernel(rest[i], rest[j]) + (i == j ? fit.params.lambda : 0);
    m[i][n] = sample.y[rest[i]];
  }
  for (size_t p = 0; p < n; ++p) {
    for (size_t i = 0; i < n; ++i) {
      if (i == p) continue;
      const double f = m[i][p] / m[p][p];
      for (size_t j = p; j <= n; ++j) m[i][j] -= f * m[p][j];
    }
  }
  double predicted = 0;
  for (size_t i = 0; i < n; ++i) predicted += m[i][n] / m[i][i] * kernel(rest[i], left_out);
  CHECK(fit.loo[left_out] == Approx(sample.y[left_out] - predicted).epsilon(1e-6).margin(1e-9));
}

TEST_CASE("the correction is clipped and the variance grows away from the centres") {
  ResidualFit fit = FitResidual(MadeUpSample(60).shapes, MadeUpSample(60).y, {});
  const ShapeVector near = MadeUpSample(60).shapes[3];
  ShapeVector far = near;
  for (double& value : far) value += 50;
  const Residual residual(fit.params);
  CHECK(residual.Variance(far) > residual.Variance(near));
  CHECK(residual.Variance(far) == Approx(fit.params.s2 * (1 + fit.params.lambda)));
  CHECK(residual.Mean(far) == Approx(0).margin(1e-12));
  for (double& alpha : fit.params.alpha) alpha *= 1e6;
  CHECK(std::abs(Residual(fit.params).Mean(near)) == fit.params.clip);
}

TEST_CASE("beyond the exact limit 64 centres stand for the rows and predict nearly as well") {
  const Sample sample = MadeUpSample(1000);
  ResidualOptions compact;
  compact.exact_limit = 0;
  const ResidualFit fit = FitResidual(sample.shapes, sample.y, compact);
  CHECK(fit.params.centres.size() == 64);
  const Residual residual(fit.params);
  double worst = 0;
  for (size_t i = 0; i < sample.y.size(); ++i) {
    worst = std::max(worst, std::abs(residual.Mean(sample.shapes[i]) - sample.y[i]));
  }
  CHECK(worst < 0.05);
  CHECK(fit.params.s2 > 0);
}

TEST_CASE("k-means begins near the mean, spreads, and stops at the distinct rows") {
  const std::vector<std::vector<double>> rows = {{0, 0}, {0, 0.1}, {10, 10}, {10, 10.1}, {-10, 10}};
  CHECK(KMeansCentres(rows, 3).size() == 3);
  CHECK(KMeansCentres({{1, 1}, {1, 1}, {2, 2}}, 5).size() == 2);
  CHECK(KMeansCentres({}, 4).empty());
}

TEST_CASE("a shape entry that never varies is not blown up") {
  std::vector<double> mean, std;
  StandardiseShapes({ShapeVector{1, 2, 3, 4, 5, 6, 7, 8, 9}, ShapeVector{2, 2, 3, 4, 5, 6, 7, 8, 9}}, &mean, &std);
  CHECK(std[0] == Approx(0.5));
  CHECK(std[1] == 1);
}
