// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/core/json.h"
#include "nas/search/schedule.h"
#include "nas/space/search_space.h"

namespace nas {

/// What a schedule will do for the ranking of the supernet, before it is run: from the images that an average candidate
/// will be trained on and from what supernets of known training reached against networks trained alone.
struct RankingForecast {
  double images_per_candidate = 0;
  double tau = 0;         ///< expected Kendall's τ between inherited and trained accuracy of random architectures
  bool enough = false;    ///< main effects of judged networks rank as well as counting blocks does
  int epochs_enough = 0;  ///< epochs of the same data that would
  std::string text;       ///< one sentence
};

RankingForecast ForecastRanking(const Schedule& schedule, const SearchSpace& space);

Json ToJson(const RankingForecast& forecast);

}  // namespace nas
