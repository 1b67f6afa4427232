// SPDX-License-Identifier: Apache-2.0
#include "inherit.h"

#include <cmath>
#include <tuple>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/text.h"

namespace nas {
namespace {

std::size_t NearestTarget(const std::vector<SourceTarget>& sources, const SearchTarget& wanted) {
  const double position = SourceTarget{"", wanted.budget, wanted.min(), wanted.max(), {}}.position();
  const auto distance = [&](const SourceTarget& source) {
    return std::tuple(source.name != wanted.request.name, std::abs(source.position() - position));
  };
  std::size_t nearest = 0;
  for (std::size_t t = 1; t < sources.size(); ++t) {
    if (distance(sources[t]) < distance(sources[nearest])) nearest = t;
  }
  return nearest;
}

template <typename T>
void Refuse(const std::string& flag, const T& asked, const T& unset, const T& of_run) {
  if (asked == unset || asked == of_run) return;
  ThrowUsage(StrCat(flag, " ", asked, " contradicts the run of --from, which has ", of_run, "; leave it away"));
}

}  // namespace

SearchOptions InheritOptions(const SearchOptions& asked, const SourceRun& source) {
  const SearchOptions unset;
  const SearchOptions& of_run = source.options;
  Refuse("--space", asked.space, unset.space, of_run.space);
  Refuse("--data", asked.data, unset.data, of_run.data);
  Refuse("--width-mult", asked.width_mult, unset.width_mult, of_run.width_mult);
  Refuse("--resolution", asked.resolution, unset.resolution, of_run.resolution);
  Refuse("--limit-per-class", asked.limit_per_class, unset.limit_per_class, of_run.limit_per_class);
  Refuse("--epochs", asked.epochs, unset.epochs, of_run.epochs);
  Refuse("--batch", asked.batch, unset.batch, of_run.batch);
  Refuse("--seed", asked.seed, unset.seed, of_run.seed);
  SearchOptions options = of_run;
  options.ranks = RankOptions();  // they say how to train
  options.target = asked.target;
  options.latency = asked.latency;
  options.device = asked.device;
  options.latency_batch = asked.latency_batch;
  options.tolerance = asked.tolerance;
  options.no_profile = asked.no_profile;
  options.threads = asked.threads;
  options.from = asked.from;
  options.out = asked.out;
  options.resume = asked.resume;
  options.force = asked.force;
  options.dry_run = asked.dry_run;
  options.strict = asked.strict;
  return options;
}

std::unique_ptr<Strategy> InheritSupernet(const SourceRun& source, const SearchSetup& setup, SearchState* state) {
  const Checkpoint checkpoint = source.Newest();
  std::vector<std::size_t> origin;
  for (const SearchTarget& target : setup.targets) {
    origin.push_back(NearestTarget(source.targets, target));
  }
  if (!state->Inherit(checkpoint, origin)) {
    ThrowInput(StrCat(source.path, " is not finished; let it end first: nas search --out ", source.path, " --resume"));
  }
  const bool learned = MakeStrategy(source.options.strategy, setup.options.seed)->learns_alphas();
  for (std::size_t t = 0; t < setup.targets.size(); ++t) {
    const SearchTarget& target = setup.targets[t];
    state->targets[t].pressed = source.targets[origin[t]].pressed();
    LogInfo(StrCat(target.label(), ": with the weights of ", source.path,
                   learned ? StrCat(" and the probabilities of its target ", source.targets[origin[t]].name)
                           : std::string(", by evolution over inherited accuracy")));
    if (!target.budget || SelectMostProbable(state->targets[t].alphas.LogProbabilities(), target.table, *target.budget))
      continue;
    throw Error(ErrorKind::kInfeasible,
                StrCat(target.label(), " cannot be met by ", source.path,
                       ": pruning has dropped the fast candidates; search with --prune off, or ask for more"));
  }
  return MakeStrategy(learned ? source.options.strategy : "evolution", setup.options.seed);
}

}  // namespace nas
