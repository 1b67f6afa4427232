// SPDX-License-Identifier: Apache-2.0
#include "nas/search/supernet_eval.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "derive.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/nn/device.h"
#include "nas/search/search_state.h"
#include "nas/train/checkpoint.h"
#include "nas/train/evaluate.h"

namespace nas {
namespace {

SearchOptions OptionsOf(const std::string& run) {
  const std::filesystem::path config = std::filesystem::path(run) / "config.json";
  std::error_code ignored;
  if (!std::filesystem::exists(config, ignored)) {
    ThrowInput(StrCat(run, " is no run folder (it has no config.json); give the --out of a search"));
  }
  return SearchOptionsFromJson(JsonDocument::Load(config.string()), "/options");
}

int ClassesOf(const std::string& run) {
  const JsonDocument config = JsonDocument::Load((std::filesystem::path(run) / "config.json").string());
  return static_cast<int>(config.root().at("space").at("classes").get<int>());
}

}  // namespace

SearchSpace SpaceOfRun(const std::string& run, const SearchPlaces& places) {
  const SearchOptions options = OptionsOf(run);
  return SearchSpace::Load(options.space, {options.width_mult, options.resolution, ClassesOf(run)}, places.space_dirs);
}

void EvaluateInherited(const SupernetEvalOptions& options, const SearchPlaces& places, const SearchHooks& hooks,
                       const std::function<void(const Json&)>& emit) {
  const std::filesystem::path run = options.supernet;
  SearchOptions search = OptionsOf(options.supernet);
  if (!options.data.empty()) search.data = options.data;
  search.threads = options.threads;
  const ThreadScope threads(options.threads);
  const SearchSetup setup = PrepareSearch(search, places, hooks, run.string());
  const CheckpointStore store(run / "checkpoints");
  const auto checkpoint = store.LoadLatest();
  if (!checkpoint) ThrowInput(StrCat(options.supernet, " has no checkpoint yet; wait for its first one"));
  SearchState state(setup, ResolveDevice(options.device));
  state.Load(*checkpoint, checkpoint->state.at("config").get<std::string>());

  std::shared_ptr<const Dataset> test = setup.data.test;
  if (options.limit_per_class > 0) {
    test = CarveOut(test, options.limit_per_class * setup.space.classes(), search.seed, /*min_per_class=*/1).part;
  }
  Loader loader(test, setup.LoaderFor(Augmentation::kEval, /*batch=*/250, /*stream=*/3));
  std::int64_t done = 0;
  for (const Architecture& architecture : options.archs) {
    if (hooks.stop != nullptr && hooks.stop->requested()) throw Error(ErrorKind::kInterrupted, "stopped");
    const auto choice = setup.space.Encode(architecture);
    if (!choice)
      ThrowInput(StrCat("architecture ", done + 1, " is no network of the run's space ", setup.space.name()));
    for (std::size_t edge = 0; edge < choice->size(); ++edge) {
      if (state.net.IsRemoved(static_cast<int>(edge), (*choice)[edge])) {
        ThrowInput(StrCat("architecture ", setup.space.Code(*choice),
                          " uses a candidate that the run has pruned (edge ", edge,
                          "); search with --prune off to keep all"));
      }
    }
    Network network = state.net.Extract(*choice);
    RecalibrateOnTrainingImages(setup, network, state.net.device());
    const Accuracy accuracy = Evaluate([&](const at::Tensor& images) { return network.Forward(images, BnMode::kEval); },
                                       loader, state.net.device());
    emit({{"schema", "nas.eval/1"},
          {"code", setup.space.Code(*choice)},
          {"top1", accuracy.top1},
          {"top5", accuracy.top5},
          {"loss", accuracy.loss},
          {"images", accuracy.images}});
    ++done;
    if (hooks.progress != nullptr) {
      ProgressState look;
      look.phase = "evaluate";
      look.done = static_cast<double>(done);
      look.total = static_cast<double>(options.archs.size());
      hooks.progress->Update(look);
    }
  }
}

}  // namespace nas
