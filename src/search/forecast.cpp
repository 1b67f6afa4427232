// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "closing_evidence.h"
#include "nas/core/clock.h"
#include "nas/core/machine.h"
#include "nas/core/stats.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/latency/latency_model.h"
#include "nas/latency/target_name.h"
#include "nas/nn/device.h"
#include "nas/profile/local_table.h"
#include "nas/search/ranking_forecast.h"
#include "nas/search/search_driver.h"
#include "nas/search/search_state.h"
#include "nas/search/strategy.h"
#include "ranking_probe.h"

namespace nas {
namespace {

constexpr int kTriedSteps = 6;  // paths differ in cost: a handful averages them

/// Seconds of one step of each kind, tried on a throw-away copy of the state with noise for images.
struct StepTimes {
  double weight = 0;
  double arch = 0;
};

StepTimes TrySteps(const SearchSetup& setup, SearchState& state, const Strategy& strategy) {
  const at::Device device = state.net.device();
  const int side = setup.space.resolution();
  const auto noise = [&](int batch) {
    return Batch{torch::randn({batch, 3, side, side}).contiguous(at::MemoryFormat::ChannelsLast).to(device),
                 torch::randint(setup.space.classes(), {batch}, at::kLong).to(device)};
  };
  const Batch train = noise(setup.schedule.batch);
  const Batch held_out = noise(setup.schedule.arch_batch);
  std::vector<double> weight, arch;
  for (int i = 0; i <= kTriedSteps; ++i) {
    Stopwatch watch;
    const Choice choice =
        state.sampler.Draw(state.targets[0].alphas.Probabilities(), kWeightStream, static_cast<std::uint64_t>(i));
    at::cross_entropy_loss(state.net.Forward(train.images, choice, BnMode::kTrain), train.labels).backward();
    state.sgd.Step(state.PathParameters(choice), /*lr=*/0);
    if (i > 0) weight.push_back(watch.Seconds());  // the first one pays for allocations
    if (!strategy.learns_alphas()) continue;
    watch.Restart();
    strategy.ArchStep(state, setup.targets[0], state.targets[0], held_out, i);
    if (i > 0) arch.push_back(watch.Seconds());
  }
  return {Mean(weight), arch.empty() ? 0 : Mean(arch)};
}

/// The file of a target's latency table; null for MACs and params.
Json TablePath(const SearchTarget& target, const SearchPlaces& places) {
  if (target.model == nullptr) return nullptr;
  const TargetPlace place = ResolveTargetName(target.request.name, places.cache_dir, places.table_dirs);
  if (place.kind == TargetPlace::Kind::kTable) return place.path;
  const std::string own = LocalTablePath(places.cache_dir, target.model->table().id());
  std::error_code ignored;
  return std::filesystem::exists(own, ignored) ? own : place.path;
}

}  // namespace

SearchForecast ForecastSearch(const SearchOptions& options, const SearchPlaces& places, const SearchHooks& hooks) {
  const ThreadScope threads(options.threads);
  const at::Device device = ResolveDevice(options.device);
  const SearchSetup setup = PrepareSearch(options, places, hooks, "");
  const Schedule& schedule = setup.schedule;
  SearchForecast forecast;
  forecast.reachable = UnreachableMessage(setup.targets).empty();

  SearchState state(setup, device);
  const std::unique_ptr<Strategy> strategy = MakeStrategy(options.strategy, options.seed);
  const StepTimes times = TrySteps(setup, state, *strategy);
  const double per_image = kForwardImageCost * times.weight / schedule.batch;
  const double validations = strategy->learns_alphas() ? schedule.epochs - schedule.warmup_epochs : 0;
  const double updates = strategy->learns_alphas() ? static_cast<double>(schedule.arch_updates) : 0;
  const double judged =
      strategy->learns_alphas() ? 0 : 200 * std::min(1000.0, static_cast<double>(setup.carve_out->size()));
  const double targets = static_cast<double>(setup.targets.size());
  const RankingProbe probe(setup);
  const double ranking = probe.work() * times.weight / schedule.batch;
  const double evidence =
      strategy->learns_alphas()
          ? static_cast<double>(ClosingEvidence(setup, state).networks(probe.images()) * probe.images())
          : 0;
  const double wall = static_cast<double>(schedule.total_steps()) * times.weight + updates * times.arch + ranking +
                      evidence * per_image +
                      targets * per_image *
                          (validations * static_cast<double>(setup.carve_out->size()) + judged +
                           static_cast<double>(setup.data.test->size()) + 2000);
  const double peak_mib = static_cast<double>(PeakResidentBytes()) / (1 << 20);

  Json& json = forecast.json;
  json["schema"] = "nas.search.dry-run/1";
  json["space"] = setup.space.name();
  json["parameters"] = setup.space.supernet_params();
  json["peak_memory_mib"] = peak_mib;
  json["wall_s"] = wall;
  json["step_s"] = times.weight + times.arch;
  json["weight_steps"] = schedule.total_steps();
  json["arch_updates"] = schedule.arch_updates;
  json["batch"] = schedule.batch;
  json["epochs"] = schedule.epochs;
  json["reachable"] = forecast.reachable;
  const RankingForecast ranking_forecast = ForecastRanking(schedule, setup.space);
  json["ranking"] = ToJson(ranking_forecast);
  json["targets"] = Json::array();
  TablePrinter table({"target", "asked", "reachable range", "can be met"});
  for (const SearchTarget& target : setup.targets) {
    const CostUnit unit = target.table.unit;
    json["targets"].push_back({{"target", target.label()},
                               {"unit", target.unit()},
                               {"asked", target.budget ? Json(*target.budget) : Json(nullptr)},
                               {"range", {target.min(), target.max()}},
                               {"reachable", !target.unreachable()},
                               {"folder", target.folder},
                               {"table", TablePath(target, places)}});
    table.AddRow({target.label(), target.budget ? CostToString(unit, *target.budget) : "-",
                  CostToString(unit, target.min()) + " … " + CostToString(unit, target.max()),
                  target.unreachable() ? "NO" : "yes"});
  }
  forecast.table =
      StrCat("space ", setup.space.name(), ": supernet of ", CountToString(setup.space.supernet_params()),
             " parameters\nschedule ", schedule.epochs, " epochs (", schedule.warmup_epochs, " warm-up) of ",
             schedule.steps_per_epoch, " steps, batch ", schedule.batch, ", ", static_cast<std::int64_t>(updates),
             " architecture updates\npredicted ", SecondsToString(wall), " wall time, ", Fixed(peak_mib, 0),
             " MiB peak memory\nranking: ", ranking_forecast.text, "\n\n", table.ToString(false));
  return forecast;
}

}  // namespace nas
