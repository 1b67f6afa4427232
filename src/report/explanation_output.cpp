// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/report/explanation.h"
#include "sparkline.h"

namespace nas {
namespace {

constexpr std::size_t kSparkColumns = 20;

Json NumberOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

std::string UnitName(CostUnit unit) {
  return unit == CostUnit::kMillis ? "ms" : unit == CostUnit::kMacs ? "macs" : "params";
}

/// `+12 us`, `-1.2 M`.
std::string Signed(CostUnit unit, double cost) {
  return StrCat(cost < 0 ? "-" : "+", CostToString(unit, std::abs(cost)));
}

/// Labels of all edges in order of first appearance: the columns of the candidate tables.
std::vector<std::string> AllLabels(const Explanation& explanation) {
  std::vector<std::string> labels;
  for (const EdgeExplanation& edge : explanation.edges) {
    for (const CandidateView& c : edge.candidates) {
      if (std::find(labels.begin(), labels.end(), c.label) == labels.end()) labels.push_back(c.label);
    }
  }
  return labels;
}

/// One row per edge, one column per candidate; `*` marks the selected one.
template <typename Cell>
std::string CandidateTable(const Explanation& explanation, bool color, Cell cell) {
  const std::vector<std::string> labels = AllLabels(explanation);
  std::vector<std::string> header{"edge"};
  header.insert(header.end(), labels.begin(), labels.end());
  TablePrinter table(header);
  for (const EdgeExplanation& edge : explanation.edges) {
    std::vector<std::string> row{edge.name};
    for (const std::string& label : labels) {
      std::string text = "-";
      for (int op = 0; op < static_cast<int>(edge.candidates.size()); ++op) {
        const CandidateView& c = edge.candidates[op];
        if (c.label != label) continue;
        text = StrCat(c.pruned_at >= 0 ? "dropped" : cell(c), op == edge.selected ? "*" : "");
        break;
      }
      row.push_back(text);
    }
    table.AddRow(std::move(row));
  }
  return table.ToString(color);
}

std::string DecisionTable(const Explanation& explanation, bool color) {
  TablePrinter table(
      {"edge", "op", "p", "cost", "decided by", "runner-up", "p", "Δ log p", "Δ cost", "fits", "p over time"});
  for (const EdgeExplanation& edge : explanation.edges) {
    const CandidateView& chosen = edge.candidates[edge.selected];
    std::vector<std::string> row{edge.name, chosen.label, Fixed(100 * chosen.p, 0) + " %",
                                 chosen.cost == 0 ? "0" : CostToString(explanation.unit, chosen.cost),
                                 ToString(edge.reason)};
    if (edge.runner_up >= 0) {
      const CandidateView& other = edge.candidates[edge.runner_up];
      row.insert(row.end(), {other.label, Fixed(100 * other.p, 0) + " %",
                             StrCat(edge.delta_log_p < 0 ? "" : "+", Fixed(edge.delta_log_p, 2)),
                             Signed(explanation.unit, edge.delta_cost), edge.fits ? "yes" : "no"});
    } else {
      row.insert(row.end(), {"-", "-", "-", "-", "-"});
    }
    row.push_back(detail::TextSparkline(edge.selected_p, kSparkColumns));
    table.AddRow(std::move(row));
  }
  return table.ToString(color);
}

}  // namespace

Json ToJson(const Explanation& x) {
  Json json{{"target", x.target},
            {"unit", UnitName(x.unit)},
            {"budget", x.budget ? Json(*x.budget) : Json(nullptr)},
            {"finished", x.finished},
            {"note", x.note},
            {"evidence", x.evidence},
            {"expected", x.expected},
            {"selected",
             {{"code", x.code}, {"predicted", x.cost}, {"log_prob", NumberOrNull(x.log_prob)}, {"from", x.source}}},
            {"argmax",
             {{"code", x.argmax_code}, {"predicted", x.argmax_cost}, {"log_prob", NumberOrNull(x.argmax_log_prob)}}},
            {"epochs", x.epochs},
            {"edges", Json::array()}};
  for (const EdgeExplanation& edge : x.edges) {
    Json item{{"name", edge.name},
              {"selected", edge.selected},
              {"argmax", edge.argmax},
              {"decided_by", ToString(edge.reason)},
              {"candidates", Json::array()}};
    for (const CandidateView& c : edge.candidates) {
      item["candidates"].push_back({{"label", c.label},
                                    {"p", c.p},
                                    {"log_p", NumberOrNull(c.log_p)},
                                    {"cost", c.cost},
                                    {"dropped_after_epoch", c.pruned_at >= 0 ? Json(c.pruned_at) : Json(nullptr)}});
    }
    item["runner_up"] = nullptr;
    if (edge.runner_up >= 0) {
      item["runner_up"] = {{"op", edge.runner_up},
                           {"label", edge.candidates[edge.runner_up].label},
                           {"delta_log_p", NumberOrNull(edge.delta_log_p)},
                           {"delta_cost", edge.delta_cost},
                           {"fits", edge.fits}};
    }
    item["alpha"] = Json::array();
    for (const auto& row : edge.alpha) {
      Json values = Json::array();
      for (const double value : row) values.push_back(NumberOrNull(value));
      item["alpha"].push_back(std::move(values));
    }
    json["edges"].push_back(std::move(item));
  }
  return json;
}

std::string ToText(const Explanation& x, bool color) {
  const auto cost = [&](double value) { return CostToString(x.unit, value); };
  const auto decided_by = [&](DecidedBy reason) {
    return std::count_if(x.edges.begin(), x.edges.end(),
                         [&](const EdgeExplanation& edge) { return edge.reason == reason; });
  };
  std::string text =
      StrCat(x.target, " on ", x.space, ": network ", x.code, ", predicted ", cost(x.cost),
             x.budget ? StrCat(" of ", cost(*x.budget)) : ", no budget", ", log p ", Fixed(x.log_prob, 2), "\n");
  if (!x.note.empty()) text += x.note + "\n";
  if (!x.evidence.empty()) text += x.evidence + "\n";
  if (x.code == x.argmax_code) {
    text += "The most probable network meets the target: the constraint decided nothing.\n";
  } else if (const long unused = decided_by(DecidedBy::kUnused); unused > 0) {
    text += StrCat("The most probable network ", x.argmax_code, " takes only ", cost(x.argmax_cost),
                   ": the budget pressed while it was learned. Using it decided ", unused, " of ", x.edges.size(),
                   " edges and costs a factor of ", Fixed(std::exp(x.argmax_log_prob - x.log_prob), 1),
                   " in probability.\n");
  } else {
    text += StrCat("The most probable network ", x.argmax_code, " would take ", cost(x.argmax_cost),
                   "; the constraint decided ", decided_by(DecidedBy::kConstraint), " of ", x.edges.size(),
                   " edges and costs a factor of ", Fixed(std::exp(x.argmax_log_prob - x.log_prob), 1),
                   " in probability.\n");
  }
  text += StrCat("\n", DecisionTable(x, color));
  text += StrCat("\nFinal probabilities, % (* selected)\n",
                 CandidateTable(x, color, [](const CandidateView& c) { return Fixed(100 * c.p, 1); }));
  text += StrCat("\nWhat each candidate costs (* selected)\n",
                 CandidateTable(x, color, [&](const CandidateView& c) { return c.cost == 0 ? "0" : cost(c.cost); }));
  return text;
}

}  // namespace nas
