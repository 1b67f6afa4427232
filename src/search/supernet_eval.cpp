// SPDX-License-Identifier: Apache-2.0
#include "nas/search/supernet_eval.h"

#include <nlohmann/json.hpp>

#include "derive.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/nn/device.h"
#include "nas/search/search_state.h"
#include "nas/train/evaluate.h"
#include "source_run.h"

namespace nas {
SearchSpace SpaceOfRun(const std::string& run, const SearchPlaces& places) {
  const SourceRun source = ReadSourceRun(run);
  const SearchOptions& options = source.options;
  return SearchSpace::Load(options.space, {options.width_mult, options.resolution, source.classes}, places.space_dirs);
}

void EvaluateInherited(const SupernetEvalOptions& options, const SearchPlaces& places, const SearchHooks& hooks,
                       const std::function<void(const Json&)>& emit) {
  const SourceRun source = ReadSourceRun(options.supernet);
  SearchOptions search = source.options;
  if (!options.data.empty()) search.data = options.data;
  search.threads = options.threads;
  const ThreadScope threads(options.threads);
  const SearchSetup setup = PrepareSearch(search, places, hooks, options.supernet);
  const Checkpoint checkpoint = source.Newest();
  SearchState state(setup, ResolveDevice(options.device));
  state.Load(checkpoint, checkpoint.state.at("config").get<std::string>());

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
