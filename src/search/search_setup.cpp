// SPDX-License-Identifier: Apache-2.0
#include "nas/search/search_setup.h"

#include <algorithm>
#include <filesystem>

#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "resolve_target.h"
#include "search_ranks.h"

namespace nas {
namespace {

constexpr int kDefaultEpochs = 60;
constexpr int kDemoEpochs = 24;
constexpr int kLargeImages = 64;  // pixels from which the ImageNet space is the default (cli.md)

std::string DefaultSpace(const DataSplits& data) {
  if (data.spec == "demo") return "tiny";
  return data.native_side < kLargeImages ? "cifar-mbconv" : "proxyless-mobile";
}

}  // namespace

LoaderOptions SearchSetup::LoaderFor(Augmentation augmentation, int batch, std::uint64_t stream) const {
  LoaderOptions loader;
  loader.batch = batch;
  loader.resolution = space.resolution();
  loader.small_images = data.small_images;
  loader.augmentation = augmentation;
  // Evaluation too: folders list one class after the other, and the batch statistics by which a supernet is judged (N2)
  // have to come from images of all classes.
  loader.shuffle = true;
  loader.seed = MixSeed(options.seed, stream);
  // One thread feeds small decoded images several times over; photographs need the processors that the steps leave
  // idle.
  loader.threads = data.small_images ? 1 : std::max(1, options.threads);
  return loader;
}

SearchSetup PrepareSearch(const SearchOptions& asked, const SearchPlaces& places, const SearchHooks& hooks,
                          const std::string& frozen_tables) {
  asked.Validate();
  const std::vector<TargetRequest> requests = asked.Requests();

  // Files before data before profile: the cheap refusals come first.
  if (!asked.space.empty()) {
    SearchSpace::Load(asked.space, {asked.width_mult, asked.resolution, 0}, places.space_dirs);
  }
  DataOptions data_options;
  data_options.spec = asked.data;
  data_options.limit_per_class = asked.limit_per_class;
  data_options.seed = asked.seed;
  data_options.threads = asked.threads;
  DataSplits data = OpenData(data_options);
  const int classes = data.train->classes();

  SearchOptions options = asked;
  if (options.space.empty()) options.space = DefaultSpace(data);
  if (options.epochs == 0) options.epochs = data.spec == "demo" ? kDemoEpochs : kDefaultEpochs;
  SearchSpace space =
      SearchSpace::Load(options.space, {options.width_mult, options.resolution, classes}, places.space_dirs);

  const std::int64_t carve = CarveOutSize(data.train->size(), classes);
  Carved carved = CarveOut(data.train, carve, options.seed, /*min_per_class=*/2);
  LogInfo(StrCat(data.spec, ": ", carved.rest->size(), " images train weights, ", carved.part->size(),
                 " train the architecture, ", data.test->size(), " test; ", classes, " classes"));

  ScheduleInput input;
  input.train_images = carved.rest->size();
  input.carve_out_images = carved.part->size();
  input.epochs = options.epochs;
  input.warmup_epochs = options.warmup_epochs;
  input.batch = options.batch;
  input.targets = static_cast<int>(requests.size());
  Schedule schedule = DeriveSchedule(input);
  if (options.lr > 0) schedule.warmup_lr = schedule.main_lr = options.lr;

  std::vector<SearchTarget> targets;
  for (const TargetRequest& request : requests) {
    targets.push_back(ShareTarget(hooks.ranks, targets.size(), [&] {
      return ResolveSearchTarget(request, space, options, places, hooks, frozen_tables);
    }));
    SearchTarget& target = targets.back();
    if (target.budget && *target.budget >= target.max()) {
      LogWarning(StrCat(target.label(), " lies above all that ", space.name(), " can reach (",
                        CostToString(target.table.unit, target.min()), " to ",
                        CostToString(target.table.unit, target.max()), "): the search is unconstrained"));
    }
  }
  return {std::move(options), std::move(data), std::move(carved.rest), std::move(carved.part), std::move(space),
          std::move(targets), schedule};
}

std::string UnreachableMessage(const std::vector<SearchTarget>& targets) {
  for (const SearchTarget& target : targets) {
    if (!target.unreachable()) continue;
    const CostUnit unit = target.table.unit;
    return StrCat(target.label(), " cannot be met: the space reaches ", CostToString(unit, target.min()), " to ",
                  CostToString(unit, target.max()), "; ask for at least ", CostToString(unit, target.min()),
                  ", or give a smaller --width-mult or --resolution");
  }
  return "";
}

}  // namespace nas
