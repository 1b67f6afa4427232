// SPDX-License-Identifier: Apache-2.0
#include "rank_steps.h"

#include <array>
#include <set>

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "search_ranks.h"

namespace nas {
namespace {

ShardOptions ShardsOf(const RankOptions& options) {
  return {std::max(1, options.shards), options.reduce == "tree", options.bucket_bytes};
}

std::string BytesOf(const Choice& choice) {
  return {reinterpret_cast<const char*>(choice.data()), choice.size() * sizeof(choice[0])};
}

}  // namespace

RankSteps::RankSteps(const SearchSetup& setup, const SearchHooks& hooks, SearchState& state)
    : setup_(setup),
      state_(state),
      group_(*hooks.ranks, ShardsOf(setup.options.ranks)),
      exchange_(group_),
      agreement_(*hooks.ranks, hooks.host),
      synced_(*hooks.ranks, setup.options.ranks.sync_bn) {
  state_.group = &group_;
}

LoaderOptions RankSteps::Divided(LoaderOptions options) const {
  options.shards = group_.options().shards;
  options.first_shard = group_.first();
  options.last_shard = group_.last();
  return options;
}

RankSteps::WeightSums RankSteps::WeightStep(const std::vector<Choice>& choices, const Batch& batch, const Learn& learn,
                                            bool stop) {
  std::vector<PathTensor> path = state_.net.PathTensors(choices[0]);
  std::set<std::string> names;
  for (const PathTensor& tensor : path) names.insert(tensor.name);
  for (std::size_t i = 1; i < choices.size(); ++i) {
    for (PathTensor& tensor : state_.net.PathTensors(choices[i])) {
      if (names.insert(tensor.name).second) path.push_back(std::move(tensor));
    }
  }
  for (const Choice& choice : choices) agreement_.Note(state_.step, "path", BytesOf(choice));

  ranks().Progress(state_.step, "step");
  exchange_.Begin(path, batch.whole, choices.size() > 1 ? choices : std::vector<Choice>());
  const SyncBatchNormScope sync(Synced(batch.whole));
  const std::vector<MicroBatch> pieces = group_.Pieces(batch);
  for (int shard = group_.first(); shard < group_.last(); ++shard) {
    const MicroBatch& piece = pieces[static_cast<std::size_t>(shard - group_.first())];
    const Choice& choice = choices.size() > 1 ? choices[static_cast<std::size_t>(shard)] : choices[0];
    std::array<double, 3> control{0, 0, shard == group_.first() && stop ? 1.0 : 0.0};
    exchange_.StartShard(shard);
    if (piece.share > 0) learn(choice, piece, &control[0], &control[1]);
    exchange_.EndShard(shard, control);
  }
  const std::vector<double> sums = exchange_.Finish();
  WeightSums out;
  out.loss = sums[0];
  out.correct = sums[1];
  out.stop = sums[2] > 0;
  for (const PathTensor& tensor : path) {
    if (tensor.kind == PathTensor::Kind::kTrained) out.parameters.emplace_back(tensor.name, tensor.tensor);
  }
  return out;
}

void RankSteps::ShareAlphas(std::size_t target) {
  Matrix p = ShareTargetState(ranks(), &state_.targets[target]);
  std::string bytes;
  for (const auto& row : p) bytes.append(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(row[0]));
  agreement_.Note(state_.step, "alpha", bytes);
  if (!root()) state_.targets[target].shared_p = std::move(p);
}

void RankSteps::CheckAgreement() {
  if (ranks().Size() == 1) return;
  Checkpoint checkpoint = state_.Save("", {});
  Json values = Json::array();
  for (const TargetState& target : state_.targets) {
    values.push_back({target.alphas.State(), target.constraint.State(), target.baseline.State()});
  }
  agreement_.Check(values.dump(), checkpoint.tensors);
}

Json RankSteps::Account() const {
  const ExchangeStats& stats = exchange_.stats();
  const auto mean = [&](std::int64_t bytes) {
    return stats.steps > 0 ? static_cast<double>(bytes) / static_cast<double>(stats.steps) : 0.0;
  };
  return {{"ranks", group_.ranks().Size()},
          {"shards", group_.options().shards},
          {"steps", stats.steps},
          {"gradient_bytes", stats.gradient_bytes},
          {"bn_bytes", stats.bn_bytes},
          {"control_bytes", stats.control_bytes},
          {"gradient_bytes_per_step", mean(stats.gradient_bytes)},
          {"seconds", stats.seconds},
          {"unhidden_s", stats.unhidden_s}};
}

}  // namespace nas
