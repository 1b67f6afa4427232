// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/core/json.h"
#include "nas/report/run_record.h"

namespace nas {

/// One candidate of an edge as the end of the run (or its last epoch) sees it.
struct CandidateView {
  std::string label;  ///< `k5e6`
  double p = 0;
  double log_p = 0;    ///< −inf for dropped ones
  double cost = 0;     ///< what it adds to the selected network, in the target's unit
  int pruned_at = -1;  ///< epoch, −1 = still there
};

/// Why an edge has its op.
enum class DecidedBy {
  kProbability,  ///< the most probable candidate
  kConstraint,   ///< a more probable one would not have met the target together with the rest
  kUnused,       ///< the most probable network leaves much of a budget unused that pressed while it was learned
  kOnlyOne,      ///< all others were dropped on the way
  kOther,        ///< found by evolution or random sampling: probabilities were not learned
};
std::string ToString(DecidedBy reason);

struct EdgeExplanation {
  std::string name;  ///< "blocks.3"
  std::vector<CandidateView> candidates;
  int selected = 0;
  int argmax = 0;
  DecidedBy reason = DecidedBy::kProbability;
  int runner_up = -1;                      ///< the most probable candidate besides the selected one; −1 = none left
  double delta_log_p = 0;                  ///< log p(runner-up) − log p(selected), nats
  double delta_cost = 0;                   ///< what switching adds to the network's predicted cost
  bool fits = true;                        ///< the switched network would still meet the budget
  std::vector<std::vector<double>> alpha;  ///< [epoch][op]
  std::vector<double> selected_p;          ///< [epoch] probability of the selected op
};

/// Why a run chose what it chose, for one target.
struct Explanation {
  std::string run, target, space;
  CostUnit unit = CostUnit::kMillis;
  std::optional<double> budget;
  bool finished = false;
  std::string note;      ///< what a reader has to know first: unfinished, probabilities not learned; "" = nothing
  std::string evidence;  ///< what the last update of the probabilities rests on; "" = the epochs' own
  std::string source;    ///< where the selection comes from: "result", "validation" (last epoch's), "argmax"
  std::string code, argmax_code;
  double cost = 0, argmax_cost = 0, expected = 0;
  double log_prob = 0, argmax_log_prob = 0;
  std::vector<int> epochs;  ///< of the history
  std::vector<EdgeExplanation> edges;
};

/// Throws kInput when the run has no epoch with alphas yet, or its space or table cannot be read.
Explanation Explain(const RunRecord& run, std::size_t target);

/// One entry of `targets` in nas.explain/1.
Json ToJson(const Explanation& explanation);
/// Tables for people: decisions, probabilities, costs.
std::string ToText(const Explanation& explanation, bool color);

}  // namespace nas
