// SPDX-License-Identifier: Apache-2.0
#include "latency/nnls.h"

#include "nas/core/rng.h"
#include "support/catch_compat.h"

using nas::CounterRng;
using nas::NormalEquations;

namespace {

using Rows = std::vector<std::vector<double>>;

std::vector<double> Solve(const Rows& rows, const std::vector<double>& target) {
  NormalEquations equations(static_cast<int>(rows[0].size()));
  for (size_t i = 0; i < rows.size(); ++i) equations.Add(rows[i], target[i]);
  return equations.SolveNonNegative();
}

/// Gradient of the squared error at x, for the optimality conditions.
std::vector<double> Gradient(const Rows& rows, const std::vector<double>& target, const std::vector<double>& x) {
  std::vector<double> gradient(x.size(), 0.0);
  for (size_t i = 0; i < rows.size(); ++i) {
    double error = -target[i];
    for (size_t j = 0; j < x.size(); ++j) error += rows[i][j] * x[j];
    for (size_t j = 0; j < x.size(); ++j) gradient[j] += error * rows[i][j];
  }
  return gradient;
}

}  // namespace

TEST_CASE("an exact non-negative solution is found, whatever the scales of the columns") {
  CounterRng rng(1);
  const std::vector<double> truth = {2, 0, 1e-6, 3e4};
  Rows rows;
  std::vector<double> target;
  for (int i = 0; i < 30; ++i) {
    rows.push_back({rng.Uniform(), rng.Uniform(), 1e6 * rng.Uniform(), 1e-5 * rng.Uniform()});
    target.push_back(0);
    for (int j = 0; j < 4; ++j) target.back() += truth[j] * rows.back()[j];
  }
  const std::vector<double> x = Solve(rows, target);
  for (int j = 0; j < 4; ++j) CHECK(x[j] == Approx(truth[j]).epsilon(1e-6).margin(1e-9));
}

TEST_CASE("the optimality conditions hold on random problems") {
  CounterRng rng(2);
  for (int trial = 0; trial < 30; ++trial) {
    Rows rows;
    std::vector<double> target;
    for (int i = 0; i < 20; ++i) {
      rows.emplace_back();
      for (int j = 0; j < 8; ++j) rows.back().push_back(rng.Normal());
      target.push_back(rng.Normal());
    }
    const std::vector<double> x = Solve(rows, target);
    const std::vector<double> gradient = Gradient(rows, target, x);
    for (int j = 0; j < 8; ++j) {
      CHECK(x[j] >= 0);
      if (x[j] > 0) {
        CHECK(std::abs(gradient[j]) < 1e-8);
      } else {
        CHECK(gradient[j] > -1e-8);
      }
    }
  }
}

TEST_CASE("zero and dependent columns get no weight of their own") {
  const Rows rows = {{1, 0, 2}, {2, 0, 4}, {3, 0, 6}};
  const std::vector<double> x = Solve(rows, {1, 2, 3});
  CHECK(x[1] == 0);
  CHECK(x[0] + 2 * x[2] == Approx(1));
  CHECK((x[0] == 0 || x[2] == 0));
}

TEST_CASE("taking a row out by weight −1 equals never having added it") {
  NormalEquations all(2), rest(2);
  const Rows rows = {{1, 2}, {3, 1}, {2, 5}, {4, 4}};
  const std::vector<double> target = {1, 2, 3, 2};
  for (int i = 0; i < 4; ++i) {
    all.Add(rows[i], target[i]);
    if (i != 2) rest.Add(rows[i], target[i]);
  }
  all.Add(rows[2], target[2], -1);
  const std::vector<double> a = all.SolveNonNegative(), b = rest.SolveNonNegative();
  for (int j = 0; j < 2; ++j) CHECK(a[j] == Approx(b[j]));
}
