// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/core/json.h"
#include "nas/search/search_options.h"
#include "nas/search/search_result.h"
#include "nas/search/search_setup.h"

namespace nas {

/// Runs a whole search: prepares, trains the supernet with its architecture steps, selects, recalibrates, evaluates,
/// measures again, writes the run folder. A finished run returns its result at once. Throws Error: kInfeasible when a
/// target lies below its range; kTraining when it diverged (or collapsed under `strict`); kCheckpointed when asked to
/// stop; kInput and kUnavailable for what is wrong around it. A constraint that was missed when measured again is no
/// exception: see `SearchResult::met`.
SearchResult RunSearch(const SearchOptions& options, const SearchPlaces& places, const SearchHooks& hooks);

/// What the run would be, without starting it: parameters, peak memory, wall time, reachable ranges (`--dry-run`).
struct SearchForecast {
  Json json;          ///< `nas.search.dry-run/1`
  std::string table;  ///< for people
  bool reachable = true;
};
SearchForecast ForecastSearch(const SearchOptions& options, const SearchPlaces& places, const SearchHooks& hooks);

}  // namespace nas
