// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nas/core/metric_follower.h"
#include "nas/core/progress.h"
#include "nas/core/stop_flag.h"
#include "nas/data/dataset.h"
#include "nas/data/loader_options.h"
#include "nas/dist/communicator.h"
#include "nas/search/schedule.h"
#include "nas/search/search_options.h"
#include "nas/search/search_target.h"
#include "nas/space/search_space.h"

namespace nas {

/// Where things are on this machine; handed down by the command line.
struct SearchPlaces {
  std::vector<std::string> space_dirs;
  std::vector<std::string> table_dirs;
  std::string cache_dir;
};

/// Services of the caller. All may be null.
struct SearchHooks {
  Progress* progress = nullptr;
  const StopFlag* stop = nullptr;
  std::shared_ptr<MetricFollower> metrics = nullptr;  ///< told of every line of metrics.jsonl
  Communicator* ranks = nullptr;                      ///< the processes of the run; null = this one is alone
  std::string host = "";                              ///< of this rank
  std::string hello = "";                             ///< JSON {must, may}: in what the ranks have to agree
  std::function<void()> fence = nullptr;              ///< throws once the run belongs to a later incarnation
};

/// Everything a run is made of before any training: checked, resolved, derived.
struct SearchSetup {
  SearchOptions options;  ///< as given, with derived defaults filled in (space, epochs)
  DataSplits data;
  std::shared_ptr<const Dataset> train;      ///< what weights are trained on
  std::shared_ptr<const Dataset> carve_out;  ///< what alphas are trained on and architectures validated on
  SearchSpace space;
  std::vector<SearchTarget> targets;
  Schedule schedule;

  /// Loader settings for one use of the data; order and augmentation follow from the run's seed and `stream`.
  LoaderOptions LoaderFor(Augmentation augmentation, int batch, std::uint64_t stream) const;
};

/// Reads and checks in the order of the contract: usage, files, data, profile, range. Measures this machine when a
/// target needs it. A target below its reachable range is left to the caller (`SearchTarget::unreachable`).
/// `frozen_tables`: folder of a run that goes on, whose targets/*/table.json are used instead of any cache; "" = none.
SearchSetup PrepareSearch(const SearchOptions& options, const SearchPlaces& places, const SearchHooks& hooks,
                          const std::string& frozen_tables);

/// The sentence of exit 4, with the reachable range, for the first unreachable target; "" when all can be reached.
std::string UnreachableMessage(const std::vector<SearchTarget>& targets);

}  // namespace nas
