// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "nas/latency/residual.h"

namespace nas {
namespace {

double SquaredDistance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

std::vector<std::vector<double>> FarthestPointSeeds(const std::vector<std::vector<double>>& rows, int count) {
  std::vector<double> mean(rows[0].size(), 0.0);
  for (const auto& row : rows) {
    for (size_t j = 0; j < mean.size(); ++j) mean[j] += row[j] / static_cast<double>(rows.size());
  }
  size_t next = 0;
  for (size_t i = 1; i < rows.size(); ++i) {
    if (SquaredDistance(rows[i], mean) < SquaredDistance(rows[next], mean)) next = i;
  }
  std::vector<std::vector<double>> seeds;
  std::vector<double> nearest(rows.size(), std::numeric_limits<double>::infinity());
  while (static_cast<int>(seeds.size()) < count) {
    seeds.push_back(rows[next]);
    for (size_t i = 0; i < rows.size(); ++i) nearest[i] = std::min(nearest[i], SquaredDistance(rows[i], seeds.back()));
    next = static_cast<size_t>(std::max_element(nearest.begin(), nearest.end()) - nearest.begin());
    if (nearest[next] < 1e-12) break;  // every row is a seed already
  }
  return seeds;
}

}  // namespace

std::vector<std::vector<double>> KMeansCentres(const std::vector<std::vector<double>>& rows, int count) {
  if (rows.empty() || count < 1) return {};
  std::vector<std::vector<double>> centres = FarthestPointSeeds(rows, count);
  std::vector<size_t> member(rows.size(), centres.size());
  for (int iteration = 0; iteration < 100; ++iteration) {
    bool moved = false;
    for (size_t i = 0; i < rows.size(); ++i) {
      size_t best = 0;
      double least = std::numeric_limits<double>::infinity();
      for (size_t c = 0; c < centres.size(); ++c) {
        const double distance = SquaredDistance(rows[i], centres[c]);
        if (distance < least) {
          least = distance;
          best = c;
        }
      }
      moved = moved || member[i] != best;
      member[i] = best;
    }
    if (!moved) break;
    std::vector<std::vector<double>> sums(centres.size(), std::vector<double>(rows[0].size(), 0.0));
    std::vector<int> sizes(centres.size(), 0);
    for (size_t i = 0; i < rows.size(); ++i) {
      ++sizes[member[i]];
      for (size_t j = 0; j < rows[i].size(); ++j) sums[member[i]][j] += rows[i][j];
    }
    for (size_t c = 0; c < centres.size(); ++c) {
      for (size_t j = 0; sizes[c] > 0 && j < centres[c].size(); ++j) centres[c][j] = sums[c][j] / sizes[c];
    }
  }
  return centres;
}

}  // namespace nas
