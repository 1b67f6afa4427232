// SPDX-License-Identifier: Apache-2.0
#include "nas/report/explanation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metric_lines.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/space/op_catalogue.h"

namespace nas {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// What op `op` adds to the network `choice` on edge `e`: exact for every form of the calibration.
double CostOf(const CostTable& table, const Choice& choice, std::size_t e, int op) {
  double sum = table.fixed;
  double launches = table.fixed_launches;
  for (std::size_t i = 0; i < choice.size(); ++i) {
    if (i == e) continue;
    sum += table.cost[i][choice[i]];
    if (table.launch_bound) launches += table.launches[i][choice[i]];
  }
  const double without = table.Total(sum, launches);
  const double own = table.launch_bound ? table.launches[e][op] : 0;
  return table.Total(sum + table.cost[e][op], launches + own) - without;
}

/// The alphas that count: those of the last epoch or, where networks were judged at the end, those after that; under
/// every drop since.
TargetEpoch FinalAlphas(const RunRecord& run, std::size_t target) {
  TargetEpoch final;
  for (auto it = run.epochs.rbegin(); it != run.epochs.rend() && final.alpha.empty(); ++it) {
    if (target < it->targets.size()) final = it->targets[target];
  }
  if (run.closing && target < run.closing->alpha.size()) {
    if (final.alpha.empty() && run.targets[target].outcome) final.expected = run.targets[target].outcome->expected;
    final.alpha = run.closing->alpha[target];
  }
  if (!final.alpha.empty()) return final;
  if (!run.from.empty()) {
    ThrowInput(StrCat("the run at ", run.path.string(), " trained nothing, its probabilities are those of ", run.from,
                      "; explain that one"));
  }
  ThrowInput(StrCat("the run at ", run.path.string(), " has not finished an epoch yet; there is nothing to explain"));
}

std::vector<CandidateView> Candidates(const RunRecord& run, std::size_t e, const std::vector<double>& alpha) {
  const Edge& edge = run.space->edges()[e];
  std::vector<bool> gone;
  for (int op = 0; op < edge.size(); ++op) gone.push_back(run.PrunedAt(static_cast<int>(e), op) >= 0);
  const std::vector<double> p = detail::MaskedSoftmax(alpha, gone);
  std::vector<CandidateView> views;
  for (int op = 0; op < edge.size(); ++op) {
    const Layer& layer = edge.candidates[op];
    views.push_back({FindOp(layer.op).Label(layer), p[op], p[op] > 0 ? std::log(p[op]) : kMinusInfinity, 0,
                     run.PrunedAt(static_cast<int>(e), op)});
  }
  return views;
}

int MostProbable(const std::vector<CandidateView>& candidates, int except) {
  int best = -1;
  for (int op = 0; op < static_cast<int>(candidates.size()); ++op) {
    if (op == except || candidates[op].pruned_at >= 0) continue;
    if (best < 0 || candidates[op].p > candidates[best].p) best = op;
  }
  return best;
}

/// The network that is explained, and where it comes from.
Choice Selected(const RunRecord& run, const TargetRecord& target, const Choice& argmax, std::string* source) {
  if (target.outcome) {
    *source = "result";
    return run.space->Decode(target.outcome->code);
  }
  for (auto it = run.validations.rbegin(); it != run.validations.rend(); ++it) {
    if (it->target != target.label) continue;
    *source = "validation";
    return run.space->Decode(it->code);
  }
  *source = "argmax";
  return argmax;
}

void AddHistory(const RunRecord& run, std::size_t target, Explanation* out) {
  for (const EpochRecord& epoch : run.epochs) {
    if (target >= epoch.targets.size() || epoch.targets[target].alpha.size() != out->edges.size()) continue;
    out->epochs.push_back(epoch.epoch);
    for (std::size_t e = 0; e < out->edges.size(); ++e) {
      EdgeExplanation& edge = out->edges[e];
      const TargetEpoch& look = epoch.targets[target];
      edge.alpha.push_back(look.alpha[e]);
      edge.selected_p.push_back(edge.selected < static_cast<int>(look.p[e].size()) ? look.p[e][edge.selected] : 0);
    }
  }
}

/// Reason, runner-up and its price.
void Judge(const RunRecord& run, const CostTable& table, const Choice& choice, std::size_t e, const Explanation& all,
           EdgeExplanation* edge) {
  edge->runner_up = MostProbable(edge->candidates, edge->selected);
  if (!run.learns_alphas()) {
    edge->reason = DecidedBy::kOther;
  } else if (edge->runner_up < 0) {
    edge->reason = DecidedBy::kOnlyOne;
  } else {
    const bool argmax_fits = all.budget && all.argmax_cost <= *all.budget;
    edge->reason = edge->selected == edge->argmax ? DecidedBy::kProbability
                   : argmax_fits                  ? DecidedBy::kUnused
                                                  : DecidedBy::kConstraint;
  }
  if (edge->runner_up < 0) return;
  Choice switched = choice;
  switched[e] = edge->runner_up;
  edge->delta_log_p = edge->candidates[edge->runner_up].log_p - edge->candidates[edge->selected].log_p;
  edge->delta_cost = table.Cost(switched) - all.cost;
  edge->fits = !all.budget || all.cost + edge->delta_cost <= *all.budget;
}

}  // namespace

std::string ToString(DecidedBy reason) {
  switch (reason) {
    case DecidedBy::kProbability:
      return "probability";
    case DecidedBy::kConstraint:
      return "constraint";
    case DecidedBy::kUnused:
      return "unused budget";
    case DecidedBy::kOnlyOne:
      return "only one left";
    case DecidedBy::kOther:
      return "accuracy";
  }
  return "";
}

Explanation Explain(const RunRecord& run, std::size_t index) {
  if (run.kind != RunKind::kSearch)
    ThrowInput(StrCat(run.path.string(), " is a training; only a search has choices to explain"));
  const TargetRecord& target = run.targets.at(index);
  const TargetEpoch last = FinalAlphas(run, index);
  if (!run.space || !target.costs)
    ThrowInput(StrCat(run.path.string(), ": ", run.notes.empty() ? "no costs" : run.notes.back()));
  if (last.alpha.size() != run.space->edges().size())
    ThrowInput(StrCat(run.path.string(), "/metrics.jsonl has alphas of ", last.alpha.size(), " edges, the space ",
                      run.space->name(), " has ", run.space->edges().size()));
  const CostTable& table = *target.costs;

  Explanation out;
  out.run = run.path.string();
  out.target = target.label;
  out.space = run.space->name();
  out.unit = target.unit;
  out.budget = target.budget;
  out.finished = run.progress == RunProgress::kFinished;
  out.expected = last.expected;
  if (run.closing) {
    out.evidence = StrCat("the last update of the probabilities comes from ", run.closing->networks,
                          " networks judged with the finished weights: their candidates explain ",
                          Fixed(100 * run.closing->explained, 0), " % of the variance of accuracy");
  }
  Choice argmax;
  for (std::size_t e = 0; e < last.alpha.size(); ++e) {
    const Edge& space_edge = run.space->edges()[e];
    if (static_cast<int>(last.alpha[e].size()) != space_edge.size())
      ThrowInput(StrCat(run.path.string(), "/metrics.jsonl has ", last.alpha[e].size(), " alphas for ", space_edge.name,
                        ", the space has ", space_edge.size(), " candidates"));
    EdgeExplanation edge;
    edge.name = space_edge.name;
    edge.candidates = Candidates(run, e, last.alpha[e]);
    edge.argmax = std::max(0, MostProbable(edge.candidates, -1));
    argmax.push_back(edge.argmax);
    out.edges.push_back(std::move(edge));
  }
  const Choice choice = Selected(run, target, argmax, &out.source);
  out.code = run.space->Code(choice);
  out.argmax_code = run.space->Code(argmax);
  out.cost = table.Cost(choice);
  out.argmax_cost = table.Cost(argmax);
  for (std::size_t e = 0; e < out.edges.size(); ++e) {
    EdgeExplanation& edge = out.edges[e];
    edge.selected = choice[e];
    for (int op = 0; op < static_cast<int>(edge.candidates.size()); ++op)
      edge.candidates[op].cost = CostOf(table, choice, e, op);
    out.log_prob += edge.candidates[edge.selected].log_p;
    out.argmax_log_prob += edge.candidates[edge.argmax].log_p;
    Judge(run, table, choice, e, out, &edge);
  }
  AddHistory(run, index, &out);
  if (!run.learns_alphas()) {
    out.note = "this strategy does not learn probabilities: they are still those of the start";
  } else if (!out.finished) {
    out.note = StrCat(run.progress_text, out.source == "validation" ? "; this is the network of its last epoch"
                                                                    : "; no network has been selected yet, the most "
                                                                      "probable one is shown");
  }
  return out;
}

}  // namespace nas
