// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nas/space/edge_sample.h"
#include "nas/space/search_space.h"

namespace nas {

using Matrix = std::vector<std::vector<double>>;  ///< [edge][op]

/// Streams of N5: which use of randomness a draw serves.
inline constexpr std::uint32_t kWeightStream = 0;
inline constexpr std::uint32_t kArchStream = 1;
inline constexpr std::uint32_t kFairStream = 2;        ///< weight steps before the architecture is learnt
inline constexpr std::uint32_t kReinforceStream = 16;  ///< + sample index
inline constexpr std::uint32_t kShardStream = 65536;   ///< + shard: weight steps with a path for each

/// Draws paths by probabilities with the counter-based generator of N5: a pure function of (seed, stream, step, edge),
/// so that a resumed run, and every rank, draws the same. Candidates with p = 0 are gone and never drawn.
class PathSampler {
 public:
  explicit PathSampler(std::uint64_t seed) : seed_(seed) {}
  /// One candidate per edge, by p.
  Choice Draw(const Matrix& p, std::uint32_t stream, std::uint64_t step) const;
  /// One candidate per edge, all equally often: of n consecutive steps (from a multiple of n on) an edge with n
  /// candidates takes each exactly once, in random order and independently of the other edges (strict fairness, Chu et
  /// al., FairNAS, ICCV 2021, without its summing of gradients). `p` only says which candidates are left.
  Choice DrawFair(const Matrix& p, std::uint64_t step) const;
  /// Two distinct candidates per edge by p without replacement; active ~ softmax of the pair. An edge with one
  /// candidate left has inactive = −1.
  std::vector<EdgeSample> DrawPairs(const Matrix& p, std::uint32_t stream, std::uint64_t step) const;

 private:
  std::uint64_t seed_;
};

}  // namespace nas
