// SPDX-License-Identifier: Apache-2.0
#include "nas/search/pruning.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/search/selection.h"

namespace nas {
namespace {

using Flags = std::vector<std::vector<bool>>;

void Require(bool ok, const std::string& field, double value, const std::string& range) {
  if (!ok) ThrowUsage(StrCat("pruning ", field, " ", value, " must be ", range));
}

// Ops that at least one target cannot do without.
Flags Protected(const std::vector<PruneView>& views, const Flags& pruned) {
  Flags kept;
  for (const auto& row : pruned) kept.emplace_back(row.size(), false);
  const auto keep = [&](const Choice& choice) {
    for (std::size_t e = 0; e < choice.size(); ++e) kept[e][choice[e]] = true;
  };
  for (const PruneView& view : views) {
    keep(view.alphas->Argmax());
    if (!view.budget) continue;
    const auto optimum = SelectMostProbable(view.alphas->LogProbabilities(), *view.table, *view.budget);
    if (optimum) {
      keep(optimum->choice);
    } else {
      return Flags();  // nothing meets this budget any more: no removal can be judged
    }
  }
  return kept;
}

}  // namespace

void PruningOptions::Validate() const {
  Require(start >= 0 && start < 1, "start", start, "a share from 0 to below 1");
  Require(end > start && end <= 1, "end", end, "a share above start and up to 1");
  Require(c_start > 0 && c_start < 1, "c_start", c_start, "above 0 and below 1");
  Require(c_end >= c_start && c_end < 1, "c_end", c_end, "at least c_start and below 1");
  Require(checks >= 1, "checks", checks, "at least 1");
  Require(least_ops >= 1, "least_ops", least_ops, "at least 1");
}

Pruner::Pruner(const SearchSpace& space, int targets, const PruningOptions& options)
    : options_(options), targets_(targets) {
  options_.Validate();
  for (const Edge& edge : space.edges()) below_.emplace_back(edge.size(), 0);
}

double Pruner::Threshold(double t) const {
  if (t < options_.start) return 0;
  const double progress = std::min(1.0, (t - options_.start) / (options_.end - options_.start));
  return options_.c_start * std::pow(options_.c_end / options_.c_start, progress);
}

std::vector<PrunedOp> Pruner::Check(double t, const std::vector<PruneView>& views) {
  if (static_cast<int>(views.size()) != targets_)
    ThrowInternal(StrCat("pruning was handed ", views.size(), " targets"));
  const double c = Threshold(t);
  std::vector<Matrix> p;
  for (const PruneView& view : views) p.push_back(view.alphas->Probabilities());
  const Flags& pruned = views[0].alphas->pruned();

  std::vector<PrunedOp> improbable;
  for (std::size_t e = 0; e < below_.size(); ++e) {
    const double threshold = c / static_cast<double>(below_[e].size());
    for (std::size_t o = 0; o < below_[e].size(); ++o) {
      if (pruned[e][o]) continue;
      double greatest = 0;
      for (const Matrix& of_target : p) greatest = std::max(greatest, of_target[e][o]);
      below_[e][o] = greatest < threshold ? below_[e][o] + 1 : 0;
      if (below_[e][o] >= options_.checks) improbable.push_back({static_cast<int>(e), static_cast<int>(o), greatest});
    }
  }
  if (improbable.empty()) return {};

  const Flags kept = Protected(views, pruned);
  if (kept.empty()) return {};
  std::sort(improbable.begin(), improbable.end(), [](const PrunedOp& x, const PrunedOp& y) {
    return std::tie(x.probability, x.edge, x.op) < std::tie(y.probability, y.edge, y.op);
  });
  const int least = t < options_.end ? options_.least_ops : 1;
  std::vector<int> left;
  for (int e = 0; e < views[0].alphas->edges(); ++e) left.push_back(views[0].alphas->left(e));
  std::vector<PrunedOp> removed;
  for (const PrunedOp& op : improbable) {
    if (kept[op.edge][op.op] || left[op.edge] <= least) continue;
    --left[op.edge];
    removed.push_back(op);
  }
  return removed;
}

Json Pruner::State() const { return Json{{"below", below_}}; }

void Pruner::LoadState(const Json& state) {
  try {
    const auto loaded = state.at("below").get<std::vector<std::vector<int>>>();
    const bool fits = std::equal(loaded.begin(), loaded.end(), below_.begin(), below_.end(),
                                 [](const auto& x, const auto& y) { return x.size() == y.size(); });
    if (!fits) ThrowInput("the pruning counters in the checkpoint belong to another search space");
    below_ = loaded;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    ThrowInput(StrCat("the pruning counters in the checkpoint cannot be read: ", error.what()));
  }
}

}  // namespace nas
