// SPDX-License-Identifier: Apache-2.0
#include "block_design.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>
#include <string>

#include "nas/core/text.h"
#include "nas/latency/features.h"

namespace nas::detail {
namespace {

constexpr double kRidge = 0.1;

// About what one core of a phone or PC takes, ms per unit of φ: only decides how far blocks count as alike.
constexpr PhiVector kRoughWeights = {0.05, 0.03, 0.10, 0.01, 0.02, 0.04, 0.03, 0.1, 0.3, 0.1, 0.1, 0.3, 0.3, 0.1, 0.02};

Eigen::MatrixXd DesignRows(const std::vector<BlockKey>& keys) {
  Eigen::MatrixXd rows(static_cast<Eigen::Index>(keys.size()), kPhiSize);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const PhiVector phi = Phi(keys[i]);
    double cost = 0;
    for (int j = 0; j < kPhiSize; ++j) cost += kRoughWeights[j] * phi[j];
    for (int j = 0; j < kPhiSize; ++j) rows(static_cast<Eigen::Index>(i), j) = phi[j] / cost;
  }
  for (int j = 0; j < kPhiSize; ++j) {
    const double rms = std::sqrt(rows.col(j).squaredNorm() / static_cast<double>(keys.size()));
    if (rms > 0) rows.col(j) /= rms;
  }
  return rows;
}

// What has to occur among the chosen ones, as words that a key has or has not.
std::vector<std::string> Traits(const BlockKey& key, int least_side, int greatest_side) {
  std::vector<std::string> traits{StrCat("k", key.k), StrCat("s", key.s), StrCat("se", key.se),
                                  StrCat("act ", ActClass(key.act)), StrCat("stage ", key.hout, " ", key.cout)};
  if (key.h == least_side) traits.push_back("least side");
  if (key.h == greatest_side) traits.push_back("greatest side");
  return traits;
}

class Design {
 public:
  Design(const std::vector<BlockKey>& keys)
      : rows_(DesignRows(keys)),
        inverse_(Eigen::MatrixXd::Identity(kPhiSize, kPhiSize) / kRidge),
        taken_(keys.size(), false) {
    const auto side = [](const BlockKey& a, const BlockKey& b) { return a.h < b.h; };
    const auto [least, greatest] = std::minmax_element(keys.begin(), keys.end(), side);
    for (const BlockKey& key : keys) traits_.push_back(Traits(key, least->h, greatest->h));
    for (const auto& traits : traits_) missing_.insert(traits.begin(), traits.end());
  }

  std::vector<int> Choose(int count) {
    while (static_cast<int>(chosen_.size()) < count) {
      const bool fill = count - static_cast<int>(chosen_.size()) <= static_cast<int>(missing_.size());
      Take(Best(fill));
    }
    return chosen_;
  }

 private:
  // The free row with the greatest leverage, among those with a missing trait when the places get short.
  int Best(bool with_missing_trait) const {
    int best = -1;
    double most = -1;
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      if (taken_[i] || (with_missing_trait && !missing_.empty() && !HasMissing(i))) continue;
      const Eigen::VectorXd row = rows_.row(static_cast<Eigen::Index>(i)).transpose();
      const double leverage = row.dot(inverse_ * row);
      if (leverage > most * (1 + 1e-12)) {
        most = leverage;
        best = static_cast<int>(i);
      }
    }
    return best;
  }

  bool HasMissing(std::size_t i) const {
    return std::any_of(traits_[i].begin(), traits_[i].end(), [&](const auto& t) { return missing_.contains(t); });
  }

  void Take(int i) {
    const Eigen::VectorXd row = rows_.row(i).transpose();
    const Eigen::VectorXd step = inverse_ * row;
    inverse_ -= step * step.transpose() / (1 + row.dot(step));  // Sherman–Morrison
    taken_[i] = true;
    for (const std::string& trait : traits_[i]) missing_.erase(trait);
    chosen_.push_back(i);
  }

  Eigen::MatrixXd rows_;
  Eigen::MatrixXd inverse_;
  std::vector<bool> taken_;
  std::vector<std::vector<std::string>> traits_;
  std::set<std::string> missing_;
  std::vector<int> chosen_;
};

}  // namespace

std::vector<int> ChooseBlocks(const std::vector<BlockKey>& keys, int count) {
  if (keys.empty() || count <= 0) return {};
  return Design(keys).Choose(std::min(count, static_cast<int>(keys.size())));
}

}  // namespace nas::detail
