// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/sweep_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/core/units.h"

namespace nas {
namespace {

std::string CostText(const std::string& unit, double cost) {
  return unit == "ms" ? ToString(Millis{cost}) : CountToString(static_cast<std::int64_t>(std::llround(cost)));
}

std::string Percent(double share) { return Fixed(100 * share, 2) + " %"; }

std::vector<double> Agreement(const std::vector<const IndexedTarget*>& runs) {
  const std::size_t edges = runs[0]->code.size();
  for (const IndexedTarget* run : runs) {
    if (run->code.size() != edges) return {};
  }
  std::vector<double> agreement;
  for (std::size_t edge = 0; edge < edges; ++edge) {
    std::map<char, int> votes;
    int most = 0;
    for (const IndexedTarget* run : runs) most = std::max(most, ++votes[run->code[edge]]);
    agreement.push_back(static_cast<double>(most) / static_cast<double>(runs.size()));
  }
  return agreement;
}

TargetSummary Summarise(const std::string& label, const std::vector<const IndexedTarget*>& runs) {
  TargetSummary summary;
  summary.target = label;
  summary.unit = runs[0]->unit;
  summary.runs = static_cast<int>(runs.size());
  const double n = summary.runs;
  for (const IndexedTarget* run : runs) {
    summary.met += run->met ? 1 : 0;
    summary.top1_mean += run->top1 / n;
    summary.predicted_mean += run->predicted / n;
  }
  double squares = 0;
  for (const IndexedTarget* run : runs) squares += std::pow(run->top1 - summary.top1_mean, 2);
  summary.top1_sd = runs.size() > 1 ? std::sqrt(squares / (n - 1)) : 0;
  summary.agreement = Agreement(runs);
  for (const double share : summary.agreement) {
    summary.agreement_mean += share / static_cast<double>(summary.agreement.size());
  }
  return summary;
}

std::vector<ParetoPoint> Front(const std::vector<IndexedTarget>& targets) {
  std::map<std::string, std::vector<IndexedTarget>> by_device;
  for (const IndexedTarget& target : targets)
    by_device[target.target.substr(0, target.target.find('='))].push_back(target);
  std::vector<ParetoPoint> front;
  for (auto& [device, networks] : by_device) {
    std::sort(networks.begin(), networks.end(), [](const IndexedTarget& a, const IndexedTarget& b) {
      return a.predicted != b.predicted ? a.predicted < b.predicted : a.top1 > b.top1;
    });
    double best = -1;
    for (const IndexedTarget& network : networks) {
      if (network.top1 <= best) continue;
      best = network.top1;
      front.push_back({device, network});
    }
  }
  return front;
}

}  // namespace

SweepReport SummariseSweep(const std::string& sweep, const std::vector<RunStatus>& statuses,
                           const std::vector<IndexedTarget>& targets) {
  SweepReport report;
  report.sweep = sweep;
  report.runs = static_cast<int>(statuses.size());
  for (const RunStatus& status : statuses) {
    if (status.state == "finished") {
      ++report.finished;
    } else if (status.state == "failed") {
      report.failed.push_back(StrCat(status.run.string(), ": ", status.detail));
    } else {
      report.unfinished.push_back(
          StrCat(status.run.string(), ": ", status.state, status.detail.empty() ? "" : ", " + status.detail));
    }
  }
  std::map<std::string, std::vector<const IndexedTarget*>> by_label;
  for (const IndexedTarget& target : targets) by_label[target.target].push_back(&target);
  for (const auto& [label, runs] : by_label) report.targets.push_back(Summarise(label, runs));
  report.pareto = Front(targets);
  return report;
}

Json ToJson(const SweepReport& report) {
  Json json{{"schema", "nas.sweep/1"},     {"sweep", report.sweep},   {"runs", report.runs},
            {"finished", report.finished}, {"failed", report.failed}, {"unfinished", report.unfinished},
            {"targets", Json::array()},    {"pareto", Json::array()}};
  for (const TargetSummary& t : report.targets) {
    json["targets"].push_back({{"target", t.target},
                               {"unit", t.unit},
                               {"runs", t.runs},
                               {"met", t.met},
                               {"top1", {{"mean", t.top1_mean}, {"sd", t.top1_sd}}},
                               {"predicted", t.predicted_mean},
                               {"agreement", t.agreement}});
  }
  for (const ParetoPoint& p : report.pareto) {
    json["pareto"].push_back({{"device", p.device},
                              {"target", p.network.target},
                              {"run", p.network.run},
                              {"unit", p.network.unit},
                              {"predicted", p.network.predicted},
                              {"top1", p.network.top1},
                              {"code", p.network.code}});
  }
  return json;
}

std::string ToTable(const SweepReport& report, bool color) {
  std::string text = StrCat(report.sweep, ": ", report.finished, " of ", report.runs, " runs finished\n");
  if (!report.targets.empty()) {
    TablePrinter table({"target", "runs", "met", "top-1", "sd", "predicted", "seeds agree"});
    for (const TargetSummary& t : report.targets) {
      table.AddRow({t.target, StrCat(t.runs), StrCat(t.met, "/", t.runs), Percent(t.top1_mean),
                    t.runs > 1 ? Percent(t.top1_sd) : "-", CostText(t.unit, t.predicted_mean),
                    t.agreement.empty() || t.runs < 2 ? "-" : Percent(t.agreement_mean)});
    }
    text += StrCat("\n", table.ToString(color));
  }
  if (!report.pareto.empty()) {
    TablePrinter table({"not beaten on", "predicted", "top-1", "network", "run"});
    for (const ParetoPoint& p : report.pareto) {
      table.AddRow({p.device, CostText(p.network.unit, p.network.predicted), Percent(p.network.top1), p.network.code,
                    p.network.run});
    }
    text += StrCat("\n", table.ToString(color));
  }
  for (const std::string& line : report.failed) text += StrCat("failed: ", line, "\n");
  for (const std::string& line : report.unfinished) text += StrCat("not finished: ", line, "\n");
  return text;
}

}  // namespace nas
