// SPDX-License-Identifier: Apache-2.0
#include "nas/search/supernet_eval.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "derive.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/nn/device.h"
#include "nas/search/inherited_accuracy.h"
#include "nas/search/search_state.h"
#include "nas/train/evaluate.h"
#include "source_run.h"

namespace nas {
namespace {

/// The choice that an architecture is in the run's space, all of whose candidates are still there.
Choice ChoiceOf(const SearchSetup& setup, const SearchState& state, const Architecture& architecture,
                std::int64_t number) {
  const auto choice = setup.space.Encode(architecture);
  if (!choice) ThrowInput(StrCat("architecture ", number, " is no network of the run's space ", setup.space.name()));
  for (std::size_t edge = 0; edge < choice->size(); ++edge) {
    if (state.net.IsRemoved(static_cast<int>(edge), (*choice)[edge])) {
      ThrowInput(StrCat("architecture ", setup.space.Code(*choice), " uses a candidate that the run has pruned (edge ",
                        edge, "); search with --prune off to keep all"));
    }
  }
  return *choice;
}

/// How the search itself judges.
class ByBatchStatistics {
 public:
  ByBatchStatistics(const SearchSetup& setup, SearchState& state, std::int64_t images)
      : loader_(setup.carve_out,
                setup.LoaderFor(Augmentation::kEval, JudgingBatch(std::min(images, setup.carve_out->size())),
                                /*stream=*/3)),
        accuracy_(state.net, loader_, images) {}
  Json operator()(const Choice& choice) {
    const double top1 = accuracy_(choice);
    return {{"top1", top1}, {"images", accuracy_.images()}};
  }

 private:
  Loader loader_;
  InheritedAccuracy accuracy_;
};

/// How a network is reported: extracted, recalibrated, on test images.
class OnTestSet {
 public:
  OnTestSet(const SearchSetup& setup, SearchState& state, std::int64_t limit_per_class)
      : setup_(setup),
        state_(state),
        loader_(Part(setup, limit_per_class), setup.LoaderFor(Augmentation::kEval, /*batch=*/250, /*stream=*/3)) {}
  Json operator()(const Choice& choice) {
    Network network = state_.net.Extract(choice);
    RecalibrateOnTrainingImages(setup_, network, state_.net.device());
    const Accuracy accuracy = Evaluate([&](const at::Tensor& images) { return network.Forward(images, BnMode::kEval); },
                                       loader_, state_.net.device());
    return {{"top1", accuracy.top1}, {"top5", accuracy.top5}, {"loss", accuracy.loss}, {"images", accuracy.images}};
  }

 private:
  static std::shared_ptr<const Dataset> Part(const SearchSetup& setup, std::int64_t limit_per_class) {
    if (limit_per_class <= 0) return setup.data.test;
    const std::int64_t images = limit_per_class * setup.space.classes();
    return CarveOut(setup.data.test, images, setup.options.seed, /*min_per_class=*/1).part;
  }

  const SearchSetup& setup_;
  SearchState& state_;
  Loader loader_;
};

}  // namespace

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

  std::optional<ByBatchStatistics> quick;
  std::optional<OnTestSet> whole;
  if (options.carve_out > 0) {
    quick.emplace(setup, state, options.carve_out);
  } else {
    whole.emplace(setup, state, options.limit_per_class);
  }
  std::int64_t done = 0;
  for (const Architecture& architecture : options.archs) {
    if (hooks.stop != nullptr && hooks.stop->requested()) throw Error(ErrorKind::kInterrupted, "stopped");
    const Choice choice = ChoiceOf(setup, state, architecture, done + 1);
    Json line = quick ? (*quick)(choice) : (*whole)(choice);
    line["schema"] = "nas.eval/1";
    line["code"] = setup.space.Code(choice);
    emit(line);
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
