// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/latency/block_key.h"
#include "nas/latency/latency_table.h"

namespace nas {

inline constexpr double kNeverSampledSigma = 0.45;  ///< σ_ext: an op, kernel, stride or combination never sampled
inline constexpr double kOutsideRangeSigma = 0.20;  ///< σ_ext: a size outside the sampled range

/// Ranges and combinations of the given blocks. `resolutions`: input sides of the networks they come from.
SampledHull BuildHull(const std::vector<BlockKey>& keys, const std::vector<int>& resolutions);

/// Why a prediction is an extrapolation (latency.md §3.9); empty = it is not.
struct Extrapolation {
  std::vector<std::string> reasons;  ///< "k 7 was never sampled", "cin 16 is outside 24…192"
  double sigma = 0;                  ///< σ_ext
};
/// `resolution` 0: not known, not judged.
Extrapolation JudgeExtrapolation(const SampledHull& hull, const BlockKey& key, int resolution);

}  // namespace nas
