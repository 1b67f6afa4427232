// SPDX-License-Identifier: Apache-2.0
#include "nas/search/search_state.h"

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

LossForm FormOf(const std::string& loss) {
  return loss == "mul-log" ? LossForm::kMulLog : loss == "add-linear" ? LossForm::kAddLinear : LossForm::kDual;
}

}  // namespace

SearchState::SearchState(const SearchSetup& setup, const at::Device& device)
    : net(setup.space, setup.options.seed, ParseKernelMode(setup.options.kernels)),
      sgd(SgdOptions{}),
      pruner(setup.space, static_cast<int>(setup.targets.size())),
      sampler(setup.options.seed),
      alpha_lr(setup.schedule.alpha_lr) {
  net.To(device);
  for (std::size_t t = 0; t < setup.targets.size(); ++t) {
    const SearchTarget& target = setup.targets[t];
    targets.push_back({ArchParameters(setup.space, MixSeed(setup.options.seed, /*salt=*/100 + t)),
                       LatencyConstraint(target.table, target.budget, FormOf(setup.options.loss),
                                         setup.schedule.arch_updates_per_target),
                       RewardBaseline()});
  }
}

std::vector<std::pair<std::string, at::Tensor>> SearchState::PathParameters(const Choice& choice) const {
  std::vector<std::pair<std::string, at::Tensor>> parameters = net.FixedParameters();
  for (std::size_t edge = 0; edge < choice.size(); ++edge) {
    const auto& candidate = net.CandidateParameters(static_cast<int>(edge), choice[edge]);
    parameters.insert(parameters.end(), candidate.begin(), candidate.end());
  }
  return parameters;
}

std::int64_t SearchState::Remove(int edge, int op) {
  for (const auto& [name, tensor] : net.CandidateParameters(edge, op)) sgd.Forget(name);
  for (TargetState& target : targets) target.alphas.Prune(edge, op);
  return net.Remove(edge, op);
}

Checkpoint SearchState::Save(const std::string& config_hash, const LineCounts& lines) const {
  Checkpoint checkpoint;
  checkpoint.Add("weights/", net.NamedTensors());
  checkpoint.Add("momentum/", sgd.State());
  Json& state = checkpoint.state;
  state["schema"] = "nas.search.checkpoint/1";
  state["config"] = config_hash;
  state["metric_lines"] = lines.metrics;
  state["sample_lines"] = lines.samples;
  state["step"] = step;
  state["arch_updates"] = arch_updates;
  state["images"] = images;
  state["wall_s"] = wall_s;
  state["trained"] = trained;
  state["meter"] = {{"loss_sum", meter.loss_sum},
                    {"correct", meter.correct},
                    {"images", meter.images},
                    {"seconds", meter.seconds},
                    {"arch_seconds", meter.arch_seconds}};
  state["targets"] = Json::array();
  for (const TargetState& target : targets) {
    state["targets"].push_back({{"alphas", target.alphas.State()},
                                {"constraint", target.constraint.State()},
                                {"baseline", target.baseline.State()}});
  }
  state["pruner"] = pruner.State();
  state["micro_batch"] = micro_batch;
  if (due != Due::kNothing) state["due"] = static_cast<int>(due);
  state["earlier_accuracy"] = earlier_accuracy;
  return checkpoint;
}

void SearchState::LoadNetwork(const Checkpoint& checkpoint) {
  // Dropped candidates first: their tensors are not in the checkpoint.
  const auto& pruned = targets[0].alphas.pruned();
  for (std::size_t edge = 0; edge < pruned.size(); ++edge) {
    for (std::size_t op = 0; op < pruned[edge].size(); ++op) {
      if (pruned[edge][op]) net.Remove(static_cast<int>(edge), static_cast<int>(op));
    }
  }
  net.Load(checkpoint.Under("weights/"));
}

LineCounts SearchState::Load(const Checkpoint& checkpoint, const std::string& config_hash) {
  const Json& state = checkpoint.state;
  try {
    if (state.at("config").get<std::string>() != config_hash) {
      ThrowInput(
          "the checkpoint belongs to another configuration; start anew with --force or give the run's own flags");
    }
    for (std::size_t t = 0; t < targets.size(); ++t) {
      const Json& saved = state.at("targets").at(t);
      targets[t].alphas.LoadState(saved.at("alphas"));
      targets[t].constraint.LoadState(saved.at("constraint"));
      targets[t].baseline.LoadState(saved.at("baseline"));
    }
    LoadNetwork(checkpoint);
    pruner.LoadState(state.at("pruner"));
    sgd.LoadState(checkpoint.Under("momentum/"));
    step = state.at("step").get<std::int64_t>();
    arch_updates = state.at("arch_updates").get<std::int64_t>();
    images = state.at("images").get<std::int64_t>();
    wall_s = state.at("wall_s").get<double>();
    trained = state.at("trained").get<bool>();
    const Json& sums = state.at("meter");
    meter = {sums.at("loss_sum").get<double>(), sums.at("correct").get<double>(), sums.at("images").get<std::int64_t>(),
             sums.at("seconds").get<double>(), sums.value("arch_seconds", 0.0)};
    due = static_cast<Due>(state.value("due", 0));
    micro_batch = state.value("micro_batch", std::int64_t{0});
    earlier_accuracy = state.value("earlier_accuracy", std::map<std::string, double>());
    return {state.at("metric_lines").get<std::int64_t>(), state.value("sample_lines", std::int64_t{0})};
  } catch (const nlohmann::json::exception& error) {
    ThrowInput(StrCat("the checkpoint's state is damaged (", error.what(), "); start anew with --force"));
  }
}

bool SearchState::Inherit(const Checkpoint& checkpoint, const std::vector<std::size_t>& origin) {
  const Json& state = checkpoint.state;
  try {
    if (!state.at("trained").get<bool>()) return false;
    for (std::size_t t = 0; t < targets.size(); ++t) {
      targets[t].alphas.LoadState(state.at("targets").at(origin[t]).at("alphas"));
    }
    LoadNetwork(checkpoint);
    step = state.at("step").get<std::int64_t>();
    trained = true;
    return true;
  } catch (const nlohmann::json::exception& error) {
    ThrowInput(StrCat("the checkpoint's state is damaged (", error.what(), "); search anew"));
  }
}

}  // namespace nas
