// SPDX-License-Identifier: Apache-2.0
#include "nas/search/ranking_forecast.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <nlohmann/json.hpp>

#include "nas/core/text.h"
#include "nas/core/units.h"

namespace nas {
namespace {

/// Measured on macro-cifar with CIFAR-10 against NAS-Bench-Macro (bench/search_quality). Other spaces and data differ;
/// the order of magnitude is what counts.
struct Measured {
  double images_per_candidate;
  double tau;
};
constexpr Measured kFew{45e3, 0.41};
/// Here the main effects of judged networks (MainEffects) draw level with counting blocks.
constexpr Measured kEnough{225e3, 0.57};

/// τ grows about with the logarithm of the images.
double TauAfter(double images) {
  const double slope = (kEnough.tau - kFew.tau) / std::log(kEnough.images_per_candidate / kFew.images_per_candidate);
  return std::clamp(kFew.tau + slope * std::log(std::max(images, 1.0) / kFew.images_per_candidate), 0.0, 0.9);
}

}  // namespace

RankingForecast ForecastRanking(const Schedule& schedule, const SearchSpace& space) {
  double candidates = 0;
  for (const Edge& edge : space.edges()) candidates += edge.size();
  candidates /= static_cast<double>(space.edges().size());
  const double epoch = static_cast<double>(schedule.steps_per_epoch * schedule.batch) / candidates;

  RankingForecast out;
  out.images_per_candidate = epoch * schedule.epochs;
  out.tau = TauAfter(out.images_per_candidate);
  out.enough = out.images_per_candidate >= kEnough.images_per_candidate;
  out.epochs_enough = static_cast<int>(std::ceil(kEnough.images_per_candidate / epoch));
  out.text = StrCat("each candidate is trained on about ",
                    CountToString(static_cast<std::int64_t>(out.images_per_candidate)), " images: ");
  if (out.enough) {
    out.text += StrCat("enough to rank networks (expected tau ", Fixed(out.tau, 1), ")");
  } else {
    out.text += StrCat(out.tau < 0.2 ? "too few to rank networks one by one" : "few to rank networks one by one",
                       " (expected tau ", Fixed(out.tau, 1), "); ", out.epochs_enough, " epochs would be enough");
  }
  return out;
}

Json ToJson(const RankingForecast& forecast) {
  return Json{{"images_per_candidate", forecast.images_per_candidate},
              {"tau", forecast.tau},
              {"enough", forecast.enough},
              {"epochs_enough", forecast.epochs_enough},
              {"text", forecast.text}};
}

}  // namespace nas
