// SPDX-License-Identifier: Apache-2.0
// What the page says about one target: its network, why, and how the search came there.
#include <cmath>

#include <nlohmann/json.hpp>

#include "architecture_figure.h"
#include "heat_map.h"
#include "markup.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/report/explanation.h"
#include "run_charts.h"
#include "run_section.h"
#include "sparkline.h"

namespace nas::detail {
namespace {

constexpr std::size_t kHeatColumns = 60;

void AddNetwork(const std::string& name, const std::string& title, const Architecture& architecture,
                const TargetRecord* target, Page* page) {
  const std::vector<LayerView> layers = LayerViews(architecture, target);
  const std::string cost = target == nullptr ? "MACs" : CostName(target->unit);
  const Svg wide = DrawNetworkWide(layers, cost);
  std::string table = StrCat("<table><thead><tr><th>layer<th>op<th class=n>channels<th class=n>side<th class=n>",
                             Escaped(cost), "<th class=n>share</thead><tbody>");
  for (const LayerView& layer : layers) {
    const std::string shown = target == nullptr ? CountToString(static_cast<std::int64_t>(layer.cost))
                                                : CostToString(target->unit, layer.cost);
    table += StrCat("<tr><td>", Escaped(layer.key), "<td>", Escaped(layer.label), "<td class=n>", layer.channels,
                    "<td class=n>", layer.side, "<td class=n>", layer.zero ? "0" : shown, "<td class=n>",
                    Fixed(100 * layer.share, 1), " %");
  }
  const std::string reading =
      target != nullptr && target->unit == CostUnit::kMillis
          ? "From the image on the left to the classes on the right. Latencies of single layers are before the "
            "correction to whole networks; shares are of their sum."
          : "From the image on the left to the classes on the right.";
  page->AddFigure(name, title, reading,
                  StrCat("<div class=wide>", wide.Inline(), "</div><div class=tall>",
                         DrawNetworkTall(layers, cost).Inline(), "</div>"),
                  table + "</tbody></table>", NetworkCsv(layers, cost));
  page->AddFile(name + ".svg", wide.StandAlone());
}

std::string Signed(CostUnit unit, double cost) {
  return StrCat(cost < 0 ? "−" : "+", CostToString(unit, std::abs(cost)));
}

/// One row per edge: the choice, its reason, the runner-up and its price, the course.
std::string DecisionTable(const Explanation& x) {
  std::string html =
      "<table class=decisions><thead><tr><th>edge<th>chosen<th class=n>p<th class=n>cost<th>decided by<th>runner-up<th "
      "class=n>p<th class=n>Δ log p<th class=n>Δ cost<th>p of the chosen, over time</thead><tbody>";
  for (const EdgeExplanation& edge : x.edges) {
    const CandidateView& chosen = edge.candidates[edge.selected];
    const bool by_cost = edge.reason == DecidedBy::kConstraint || edge.reason == DecidedBy::kUnused;
    html += StrCat("<tr", by_cost ? " class=constrained" : "", "><td>", Escaped(edge.name), "<td><b>",
                   Escaped(chosen.label), "</b><td class=n>", Fixed(100 * chosen.p, 0), " %<td class=n>",
                   chosen.cost == 0 ? "0" : CostToString(x.unit, chosen.cost), "<td>", ToString(edge.reason));
    if (edge.runner_up >= 0) {
      const CandidateView& other = edge.candidates[edge.runner_up];
      html += StrCat("<td>", Escaped(other.label), "<td class=n>", Fixed(100 * other.p, 0), " %<td class=n>",
                     edge.delta_log_p < 0 ? "−" : "+", Fixed(std::abs(edge.delta_log_p), 2), "<td class=n>",
                     Signed(x.unit, edge.delta_cost), edge.fits ? "" : " <span class=over>over</span>");
    } else {
      html += "<td>–<td class=n>–<td class=n>–<td class=n>–";
    }
    html += StrCat("<td>", SvgSparkline(edge.selected_p));
  }
  return html + "</tbody></table>";
}

std::string DecisionCsv(const Explanation& x) {
  std::string csv = "edge,chosen,p,cost,decided_by,runner_up,runner_up_p,delta_log_p,delta_cost,fits\n";
  for (const EdgeExplanation& edge : x.edges) {
    const CandidateView& chosen = edge.candidates[edge.selected];
    csv += StrCat(CsvField(edge.name), ",", CsvField(chosen.label), ",", Plain(chosen.p), ",", Plain(chosen.cost), ",",
                  ToString(edge.reason), ",");
    if (edge.runner_up >= 0) {
      const CandidateView& other = edge.candidates[edge.runner_up];
      csv += StrCat(CsvField(other.label), ",", Plain(other.p), ",", Plain(edge.delta_log_p), ",",
                    Plain(edge.delta_cost), ",", edge.fits ? "yes" : "no");
    } else {
      csv += ",,,,";
    }
    csv += "\n";
  }
  return csv;
}

/// Two or three sentences on what the probabilities and the constraint did.
std::string Summary(const Explanation& x) {
  int constrained = 0, unused = 0, close = 0;
  for (const EdgeExplanation& edge : x.edges) {
    constrained += edge.reason == DecidedBy::kConstraint ? 1 : 0;
    unused += edge.reason == DecidedBy::kUnused ? 1 : 0;
    close += edge.runner_up >= 0 && std::abs(edge.delta_log_p) < 0.25 ? 1 : 0;
  }
  const auto cost = [&](double value) { return CostToString(x.unit, value); };
  std::string text = x.note.empty() ? "" : StrCat("<b>", Escaped(x.note), ".</b> ");
  if (x.code == x.argmax_code) {
    text += StrCat("The most probable network takes ", cost(x.cost),
                   x.budget ? StrCat(" of the ", cost(*x.budget), " asked") : "",
                   ": the constraint decided nothing at the end. ");
  } else if (unused > 0) {
    text +=
        StrCat("The most probable network <code>", Escaped(x.argmax_code), "</code> takes only ", cost(x.argmax_cost),
               ": the budget pressed while it was learned. Using it decided ", unused, " of ", x.edges.size(),
               " edges, at a factor of ", Fixed(std::exp(x.argmax_log_prob - x.log_prob), 1), " in probability. ");
  } else {
    text += StrCat("The most probable network <code>", Escaped(x.argmax_code), "</code> would take ",
                   cost(x.argmax_cost), "; the constraint decided ", constrained, " of ", x.edges.size(),
                   " edges, at a factor of ", Fixed(std::exp(x.argmax_log_prob - x.log_prob), 1), " in probability. ");
  }
  text += close == 0 ? "No edge was a close call."
                     : StrCat("On ", close, " of ", x.edges.size(),
                              " edges the runner-up is nearly as probable (less than 0.25 nats away): close calls.");
  if (!x.evidence.empty()) text += StrCat(" Note: ", Escaped(x.evidence), ".");
  return StrCat("<p class=lead>", text, "</p>");
}

std::string FinalProbabilities(const HeatMap& map) {
  std::string html = "<table><thead><tr><th>edge<th>candidates, probability at the end</thead><tbody>";
  for (const HeatPanel& panel : map.panels) {
    html += StrCat("<tr><td>", Escaped(panel.edge), "<td>");
    for (std::size_t op = 0; op < panel.labels.size(); ++op) {
      const double p = panel.p[op].empty() ? 0 : panel.p[op].back();
      html += StrCat(op == 0 ? "" : ", ", Escaped(panel.labels[op]), " ", p < 0 ? "dropped" : Fixed(100 * p, 1) + " %");
    }
  }
  return html + "</tbody></table>";
}

void AddExplanation(const RunRecord& run, std::size_t t, const Explanation& x, Page* page) {
  const TargetRecord& target = run.targets[t];
  page->Add(StrCat("<h3>Why this network</h3>", Summary(x)));
  page->AddFigure(target.folder + "-decisions", "Edge by edge",
                  "Cost: what the candidate adds to this network. Δ: what switching to the runner-up would change.",
                  StrCat("<div class=scroll>", DecisionTable(x), "</div>"), "", DecisionCsv(x));
  if (!run.learns_alphas() || x.epochs.empty()) return;
  const HeatMap map = MakeHeatMap(run, t, x, kHeatColumns);
  const std::string id = page->Id(target.folder + "-probabilities");
  page->AddHeat(id, HeatMapToJson(map));
  std::string panels = "<div class=heat>";
  for (std::size_t e = 0; e < map.panels.size(); ++e) panels += DrawHeatPanel(map, e, id).Inline();
  panels += "</div><p class=heatkey><span>0 %</span>";
  for (int level = 0; level <= 8; ++level) panels += StrCat("<i class=h", level, "></i>");
  panels += "<span>100 %</span><span class=outline>chosen</span></p>";
  page->AddFigure(target.folder + "-probabilities", "Probabilities over time",
                  "One panel per searched edge: candidates as rows, epochs as columns; the darker the more probable. "
                  "Empty: dropped.",
                  panels, FinalProbabilities(map), HeatMapToCsv(map));
  page->AddFile(target.folder + "-probabilities.svg", DrawHeatMapFile(map));
}

}  // namespace

void AddTarget(const RunRecord& run, std::size_t t, Page* page) {
  const TargetRecord& target = run.targets[t];
  page->Add(StrCat("<section class=target><h2>Network for ", Escaped(target.label), "</h2>"));
  std::optional<Explanation> explanation;
  std::string why_not;
  try {
    explanation = Explain(run, t);
  } catch (const Error& error) {
    why_not = error.what();
  }
  if (target.outcome && target.outcome->architecture) {
    AddNetwork(target.folder + "-network", "The network", *target.outcome->architecture, &target, page);
  } else if (explanation && run.space) {
    AddNetwork(
        target.folder + "-network",
        explanation->source == "validation" ? "The network as it stands now" : "The most probable network so far",
        run.space->Build(run.space->Decode(explanation->code)), &target, page);
  }
  page->Add("<div class=pair>");
  page->AddChart(TradeOffChart(run, target));
  page->AddChart(ExpectedChart(run, t));
  page->Add("</div>");
  if (explanation) {
    AddExplanation(run, t, *explanation, page);
  } else {
    page->Add(StrCat("<p class=note>", Escaped(why_not), "</p>"));
  }
  page->Add("</section>");
}

void AddCourse(const RunRecord& run, Page* page) {
  if (run.kind == RunKind::kTrain && run.architecture)
    AddNetwork("network", "The network", *run.architecture, nullptr, page);
  if (run.epochs.empty()) return;
  page->Add(StrCat("<section><h2>", run.kind == RunKind::kSearch ? "Course of the search" : "Course of the training",
                   "</h2><div class=pair>"));
  page->AddChart(LossChart(run));
  page->AddChart(AccuracyChart(run));
  page->AddChart(EntropyChart(run));
  page->AddChart(LambdaChart(run));
  page->Add("</div></section>");
}

}  // namespace nas::detail
