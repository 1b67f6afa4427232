// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/item_choice.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/latency/features.h"
#include "nas/latency/residual.h"
#include "nas/space/op_catalogue.h"

namespace nas {
namespace {

constexpr int kDOptimalItems = 20;  // with fewer, D-optimal picks extremes only
constexpr double kRidge = 0.1;

}  // namespace

std::vector<BlockKey> SpaceKeys(const SearchSpace& space) {
  std::set<std::string> texts;
  const std::vector<std::string> base = LatencyKeys(space.base());
  for (size_t i = 0; i < base.size(); ++i) {
    if (!space.IsSearched(static_cast<int>(i))) texts.insert(base[i]);
  }
  for (const auto& edge : space.edges()) {
    for (const auto& layer : edge.candidates) texts.insert(FindOp(layer.op).LatencyKey(layer, edge.in));
  }
  texts.erase("");
  std::vector<BlockKey> keys;
  for (const auto& text : texts) keys.push_back(ParseBlockKey(text));
  return keys;
}

std::vector<int> ChooseDOptimal(const std::vector<std::vector<double>>& rows, int count, double ridge) {
  if (rows.empty()) return {};
  const auto n = static_cast<Eigen::Index>(rows.size());
  const auto p = static_cast<Eigen::Index>(rows[0].size());
  Eigen::MatrixXd x(n, p);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < p; ++j) x(i, j) = rows[i][j];
  }
  for (Eigen::Index j = 0; j < p; ++j) {
    const double rms = x.col(j).norm() / std::sqrt(static_cast<double>(n));
    if (rms > 0) x.col(j) /= rms;
  }
  Eigen::MatrixXd inverse = Eigen::MatrixXd::Identity(p, p) / ridge;
  std::vector<bool> taken(rows.size(), false);
  std::vector<int> chosen;
  while (static_cast<int>(chosen.size()) < std::min<int>(count, static_cast<int>(n))) {
    Eigen::Index best = -1;
    double most = -1;
    for (Eigen::Index i = 0; i < n; ++i) {
      if (taken[i]) continue;
      const double gain = x.row(i) * inverse * x.row(i).transpose();
      if (gain > most * (1 + 1e-12)) {
        most = gain;
        best = i;
      }
    }
    taken[best] = true;
    chosen.push_back(static_cast<int>(best));
    const Eigen::VectorXd direction = inverse * x.row(best).transpose();  // Sherman–Morrison
    inverse -= direction * direction.transpose() / (1 + most);
  }
  return chosen;
}

std::vector<int> ChooseSpread(const std::vector<BlockKey>& keys, int count) {
  if (keys.empty() || count < 1) return {};
  std::vector<ShapeVector> shapes;
  for (const auto& key : keys) shapes.push_back(Shape(key));
  std::vector<double> mean, std;
  StandardiseShapes(shapes, &mean, &std);
  std::vector<std::vector<double>> rows;
  for (const auto& shape : shapes) rows.push_back(Standardised(shape, mean, std));
  std::set<int> chosen;
  for (const auto& centre : KMeansCentres(rows, count)) {
    int nearest = -1;
    double least = std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < rows.size(); ++i) {
      if (chosen.count(static_cast<int>(i)) != 0) continue;
      double distance = 0;
      for (size_t j = 0; j < centre.size(); ++j) distance += (rows[i][j] - centre[j]) * (rows[i][j] - centre[j]);
      if (distance < least) {
        least = distance;
        nearest = static_cast<int>(i);
      }
    }
    if (nearest >= 0) chosen.insert(nearest);
  }
  return {chosen.begin(), chosen.end()};
}

ItemSuggestion SuggestItems(const SearchSpace& space, const LatencyModel& source, int count, bool networks,
                            std::uint64_t seed) {
  if (count < 1) ThrowUsage(StrCat("--suggest ", count, ": give at least 1 item"));
  std::vector<BlockKey> keys;
  for (const auto& key : SpaceKeys(space)) {
    if (key.op == BlockOp::kMbconv) keys.push_back(key);
  }
  if (keys.empty()) ThrowInput(StrCat("space \"", space.name(), "\" has no mbconv blocks to suggest"));
  const int network_count = networks ? count / 3 : 0;
  const int block_count = count - network_count;
  std::vector<int> chosen;
  if (block_count < kDOptimalItems) {
    chosen = ChooseSpread(keys, block_count);
  } else {
    std::vector<std::vector<double>> rows;
    for (const auto& key : keys) {
      const PhiVector phi = Phi(key);
      auto& row = rows.emplace_back(phi.begin(), phi.end());
      const double ms = source.PredictBlock(key, space.resolution()).ms;
      for (double& value : row) value /= ms;
    }
    chosen = ChooseDOptimal(rows, block_count, kRidge);
  }
  ItemSuggestion suggestion;
  for (int i : chosen) suggestion.blocks.push_back(keys[i]);
  CounterRng rng(seed, /*stream=*/13);
  for (int i = 0; i < network_count; ++i) suggestion.networks.push_back(space.Sample(rng));
  return suggestion;
}

}  // namespace nas
