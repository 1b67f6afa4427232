// SPDX-License-Identifier: Apache-2.0
#include "epoch_review.h"

#include <vector>

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "nas/core/log.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/search/collapse_alarm.h"
#include "nas/search/pruning.h"
#include "nas/search/selection.h"
#include "nas/space/op_catalogue.h"
#include "nas/train/evaluate.h"
#include "search_ranks.h"

namespace nas {
namespace {

LoaderOptions ValidationOptions(const SearchSetup& setup, const SearchHooks& hooks) {
  LoaderOptions options = setup.LoaderFor(Augmentation::kEval, /*batch=*/250, /*stream=*/3);
  if (hooks.ranks != nullptr) options.stride = hooks.ranks->Size();
  return options;
}

}  // namespace

EpochReview::EpochReview(const SearchSetup& setup, const SearchHooks& hooks, RunFolder& folder, SearchState& state,
                         RankSteps* ranks)
    : setup_(setup),
      hooks_(hooks),
      folder_(folder),
      state_(state),
      ranks_(ranks),
      validation_(setup.carve_out, ValidationOptions(setup, hooks)) {}

double EpochReview::done() const {
  const std::int64_t updates = setup_.schedule.arch_updates;
  return updates > 0 ? static_cast<double>(state_.arch_updates) / static_cast<double>(updates) : 1;
}

void EpochReview::Validate(int epoch) {
  for (std::size_t t = 0; t < state_.targets.size(); ++t) {
    const TargetState& target = state_.targets[t];
    const Matrix log_p = target.alphas.LogProbabilities();
    const CostTable& table = target.constraint.table();
    std::optional<Selection> selection;
    if (target.constraint.budget()) selection = SelectMostProbable(log_p, table, *target.constraint.budget());
    if (!selection) selection = SelectArgmax(log_p, table);
    if (ranks_ != nullptr) selection->choice = setup_.space.Decode(ranks_->Share(setup_.space.Code(selection->choice)));
    const Accuracy accuracy = Evaluate(
        [&](const at::Tensor& images) { return state_.net.Forward(images, selection->choice, BnMode::kProbe); },
        validation_, state_.net.device(), hooks_.ranks);
    const std::string code = setup_.space.Code(selection->choice);
    folder_.AppendMetric({{"event", "arch-validation"},
                          {"epoch", epoch},
                          {"step", state_.step},
                          {"target", setup_.targets[t].label()},
                          {"code", code},
                          {"predicted", selection->cost},
                          {"accuracy", accuracy.top1},
                          {"loss", accuracy.loss}});
    folder_.AppendSample({{"code", code},
                          {"target", setup_.targets[t].label()},
                          {"predicted", selection->cost},
                          {"accuracy", accuracy.top1},
                          {"epoch", epoch}});
  }
}

std::optional<std::string> EpochReview::Alarm(int epoch) {
  std::optional<std::string> first;
  if (!decides()) return first;
  for (std::size_t i = 0; i < state_.targets.size(); ++i) {
    const auto alarm = CheckCollapse(setup_.space, state_.targets[i].alphas, done(), setup_.schedule.entropy_alarm);
    if (!alarm) continue;
    const std::string text = StrCat(setup_.targets[i].label(), ": ", *alarm);
    folder_.AppendMetric(
        {{"event", "alarm"}, {"epoch", epoch}, {"step", state_.step}, {"kind", "collapse"}, {"text", text}});
    LogWarning(text);
    if (!first) first = text;
  }
  return first;
}

void EpochReview::Prune(int epoch) {
  if (!setup_.options.prune) return;
  std::vector<PruneView> views;
  for (const TargetState& target : state_.targets)
    views.push_back({&target.alphas, &target.constraint.table(), target.constraint.budget()});
  std::vector<PrunedOp> pruned;
  if (decides()) pruned = state_.pruner.Check(done(), views);
  if (ranks_ != nullptr) pruned = SharePruned(ranks_->ranks(), pruned);
  for (const PrunedOp& op : pruned) {
    const std::int64_t bytes = state_.Remove(op.edge, op.op);
    const Edge& edge = setup_.space.edges()[op.edge];
    folder_.AppendMetric({{"event", "prune"},
                          {"epoch", epoch},
                          {"step", state_.step},
                          {"edge", op.edge},
                          {"op", op.op},
                          {"p", op.probability},
                          {"left", state_.targets[0].alphas.left(op.edge)},
                          {"bytes", bytes}});
    LogInfo(StrCat("epoch ", epoch, ": dropped ", FindOp(edge.candidates[op.op].op).Label(edge.candidates[op.op]),
                   " of ", edge.name, " (p ", op.probability, " stayed under the threshold; ",
                   state_.targets[0].alphas.left(op.edge), " left, ", ToString(Bytes{bytes}), " freed)"));
  }
  // Masks move probabilities.
  for (std::size_t t = 0; ranks_ != nullptr && !pruned.empty() && t < state_.targets.size(); ++t)
    ranks_->ShareAlphas(t);
}

}  // namespace nas
