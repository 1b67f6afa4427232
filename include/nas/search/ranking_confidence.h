// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nas/core/json.h"

namespace nas {

/// Random architectures judged with a supernet's weights. One entry per architecture in every list.
struct RankingSample {
  std::vector<double> half_a;   ///< accuracy on one half of the validation images, 0…1
  std::vector<double> half_b;   ///< on the other half
  std::vector<double> earlier;  ///< on all images at an earlier checkpoint; empty = not looked at
  std::vector<double> blocks;   ///< number of blocks that do something
  std::vector<double> macs;
};

/// Kendall's τ-b with its 95 % bootstrap interval over architectures. NaN when one side is constant.
struct RankCorrelation {
  double tau = 0;
  double low = 0;
  double high = 0;
};

enum class RankingVerdict { kEnough, kTooSmall };

/// How far the ranking of a supernet can be trusted, from its own data.
struct RankingConfidence {
  int architectures = 0;
  /// Between the accuracies on two halves of the images: what half of the validation set repeats.
  RankCorrelation halves;
  /// The same for the whole set against another set of its size (Spearman–Brown on the scale of Pearson's r =
  /// sin(π·τ/2)).
  RankCorrelation split_half;
  /// Between the earlier checkpoint and now, on the same images: what training on changes. NaN without an earlier one.
  RankCorrelation checkpoints;
  /// Baselines: accuracy against counts that need no supernet.
  RankCorrelation macs;
  RankCorrelation blocks;
  /// Between the two halves once ranks explained by MACs and blocks are taken out: above 0, the supernet knows more
  /// than counts.
  RankCorrelation beyond_counts;
  /// Enough: the lower end of `split_half` reaches 0.5, so at least three of four pairs keep their order on other
  /// images.
  RankingVerdict verdict = RankingVerdict::kTooSmall;
  /// One sentence for people: the verdict, its figures, and what to do about it.
  std::string text;
};

/// Throws kInput on lists of different lengths or fewer than 8 architectures. Deterministic in `seed`.
RankingConfidence JudgeRanking(const RankingSample& sample, std::uint64_t seed);

Json ToJson(const RankingConfidence& confidence);

}  // namespace nas
