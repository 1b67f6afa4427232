// SPDX-License-Identifier: Apache-2.0
#include "nas/report/sweep_page.h"

#include <algorithm>
#include <cctype>

#include "markup.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "page.h"
#include "run_charts.h"
#include "run_section.h"

namespace nas {
namespace {

using namespace detail;

std::string ColorOf(std::size_t index) { return StrCat("c", index % 6 + 1); }

std::string Spread(const SweepTarget& target) {
  const std::string mean = Fixed(100 * target.top1_mean, 2);
  return target.runs > 1 ? StrCat(mean, " ± ", Fixed(100 * target.top1_sd, 2), " %") : mean + " %";
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

std::string StateChip(const SweepRun& run) {
  const char* kind = run.state == "finished" ? "good" : run.state == "failed" ? "bad" : "warn";
  return StrCat("<span class=\"chip ", kind, "\">", Escaped(run.state), "</span>");
}

std::string RunName(const SweepRun& run) {
  return run.page.empty() ? Escaped(run.name)
                          : StrCat("<a href=\"", Escaped(run.page), "\">", Escaped(run.name), "</a>");
}

std::string TargetsTable(const SweepPage& sweep) {
  std::string html =
      "<div class=scroll><table class=compare><thead><tr><th>target<th class=n>runs<th class=n>met<th class=n>top-1, "
      "mean ± sd<th class=n>predicted, mean<th class=n>seeds agree</thead><tbody>";
  for (const SweepTarget& target : sweep.targets) {
    html += StrCat("<tr><td>", Escaped(target.label), "<td class=n>", target.runs, "<td class=n>", target.met, "/",
                   target.runs, "<td class=n><b>", Spread(target), "</b><td class=n>",
                   CostToString(target.unit, target.predicted_mean), "<td class=n>",
                   target.runs > 1 && !target.agreement.empty() ? Fixed(100 * Mean(target.agreement), 0) + " %" : "–");
  }
  return html + "</tbody></table></div>";
}

std::string NetworksTable(const SweepPage& sweep) {
  std::string html =
      "<div class=scroll><table class=compare><thead><tr><th>run<th>target<th class=n>predicted<th "
      "class=n>measured<th class=n>top-1<th class=n>MACs<th class=n>parameters<th>network<th>met<th>not "
      "beaten</thead><tbody>";
  for (const SweepNetwork& network : sweep.networks) {
    CostUnit unit = CostUnit::kMillis;
    for (const SweepTarget& target : sweep.targets) {
      if (target.label == network.target) unit = target.unit;
    }
    html += StrCat("<tr><td>", Escaped(network.run), "<td>", Escaped(network.target), "<td class=n>",
                   CostToString(unit, network.predicted), "<td class=n>",
                   network.measured ? CostToString(unit, *network.measured) : "–", "<td class=n><b>",
                   AccuracyText(network.top1), "</b><td class=n>", CountToString(network.macs), "<td class=n>",
                   CountToString(network.params), "<td><code>", Escaped(network.code), "</code><td>",
                   network.met ? "yes" : "no", "<td>", network.on_front ? "yes" : "");
  }
  return html + "</tbody></table></div>";
}

std::string NetworksCsv(const SweepPage& sweep) {
  std::string csv = "run,target,predicted,measured,top1,macs,params,code,met,on_front\n";
  for (const SweepNetwork& n : sweep.networks) {
    csv += StrCat(CsvField(n.run), ",", CsvField(n.target), ",", Plain(n.predicted), ",",
                  n.measured ? Plain(*n.measured) : "", ",", Plain(n.top1), ",", n.macs, ",", n.params, ",", n.code,
                  ",", n.met ? 1 : 0, ",", n.on_front ? 1 : 0, "\n");
  }
  return csv;
}

std::string RunsTable(const SweepPage& sweep) {
  std::string html = "<div class=scroll><table class=compare><thead><tr><th>run<th>state<th>what</thead><tbody>";
  // What needs somebody comes first.
  std::vector<const SweepRun*> order;
  for (const SweepRun& run : sweep.runs) order.push_back(&run);
  const auto rank = [](const SweepRun* run) { return run->state == "failed" ? 0 : run->state == "finished" ? 2 : 1; };
  std::stable_sort(order.begin(), order.end(), [&](const SweepRun* a, const SweepRun* b) { return rank(a) < rank(b); });
  for (const SweepRun* run : order)
    html += StrCat("<tr><td>", RunName(*run), "<td>", StateChip(*run), "<td>", Escaped(run->detail));
  return html + "</tbody></table></div>";
}

/// All networks of one device, their front, and the spread of each target's seeds as an upright line.
Chart FrontChart(const SweepPage& sweep, const std::string& device) {
  Chart chart;
  std::string id;
  for (const char c : device) id += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  chart.id = "pareto-" + id;
  chart.y = {"top-1", AxisFormat::kPercent, false, false};
  std::vector<ChartPoint> front;
  std::size_t color = 0;
  for (const SweepTarget& target : sweep.targets) {
    if (target.device != device) continue;
    chart.title = StrCat("Accuracy against ", CostName(target.unit), ": ", device);
    chart.x = {"predicted " + CostName(target.unit), FormatOf(target.unit), false, false};
    ChartSeries dots{target.label, SeriesKind::kDots, ColorOf(color), false, 5, false, false, {}};
    for (const SweepNetwork& network : sweep.networks) {
      if (network.target != target.label) continue;
      const ChartPoint point{network.predicted, network.top1, StrCat(network.run, ", ", network.code)};
      dots.points.push_back(point);
      if (network.on_front) front.push_back(point);
    }
    if (!dots.points.empty()) chart.series.push_back(std::move(dots));
    if (target.runs > 1) {
      ChartSeries spread{target.label + " mean ± sd", SeriesKind::kLine, ColorOf(color), false, 3, false, false, {}};
      for (const double sign : {-1.0, 0.0, 1.0}) {
        spread.points.push_back({target.predicted_mean, target.top1_mean + sign * target.top1_sd, ""});
      }
      chart.series.push_back(std::move(spread));
    }
    ++color;
  }
  if (front.size() > 1)
    chart.series.push_back({"Pareto front", SeriesKind::kStep, "ink", true, 3, false, false, ParetoFront(front)});
  chart.reading =
      "Each dot is the network of one run, on the test set with inherited weights; the front joins those that no other "
      "one beats; upright lines: mean ± standard deviation over seeds.";
  return chart;
}

Chart AgreementChart(const SweepPage& sweep) {
  Chart chart;
  chart.id = "agreement";
  chart.title = "Do seeds agree?";
  chart.reading = "Per edge, the share of runs that chose the most frequent operation. 100 %: all the same.";
  chart.x = {"edge", AxisFormat::kPlain, false, true};
  chart.y = {"share of runs", AxisFormat::kPercent, true, false};
  std::size_t color = 0;
  for (const SweepTarget& target : sweep.targets) {
    ChartSeries series{target.label, SeriesKind::kLine, ColorOf(color++), false, 3, false, false, {}};
    if (target.runs < 2) continue;
    for (std::size_t edge = 0; edge < target.agreement.size(); ++edge)
      series.points.push_back({static_cast<double>(edge), target.agreement[edge], ""});
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  return chart;
}

void Fill(const SweepPage& sweep, Page* page) {
  const auto finished =
      std::count_if(sweep.runs.begin(), sweep.runs.end(), [](const SweepRun& run) { return run.state == "finished"; });
  page->Add(
      "<div class=top><span class=brand>nas<span>sweep</span></span><button type=button id=theme "
      "hidden>theme</button></div>");
  page->Add(StrCat("<section><h1>", Escaped(sweep.name), " <span class=\"chip ",
                   finished == static_cast<std::ptrdiff_t>(sweep.runs.size()) ? "good" : "warn", "\">", finished,
                   " of ", sweep.runs.size(), " runs finished</span></h1>"));
  if (sweep.targets.empty()) page->Add("<p class=note>No run has a result yet.</p>");
  if (!sweep.targets.empty()) {
    page->Add(TargetsTable(sweep) + "<div class=pair>");
    std::vector<std::string> drawn;
    for (const SweepTarget& target : sweep.targets) {
      if (std::find(drawn.begin(), drawn.end(), target.device) != drawn.end()) continue;
      drawn.push_back(target.device);
      page->AddChart(FrontChart(sweep, target.device));
    }
    page->AddChart(AgreementChart(sweep));
    page->Add("</div>");
  }
  page->Add(StrCat("</section><section><h2>Runs</h2>", RunsTable(sweep), "</section>"));
  if (sweep.networks.empty()) return;
  page->Add(StrCat("<section><h2>Networks</h2>", NetworksTable(sweep), "</section>"));
  page->AddFile("networks.csv", NetworksCsv(sweep));
}

}  // namespace

std::string SweepDocument(const SweepPage& sweep) {
  Page page;
  Fill(sweep, &page);
  return page.Document(sweep.name + " · nas sweep");
}

std::vector<ReportFile> SweepFiles(const SweepPage& sweep) {
  Page page;
  Fill(sweep, &page);
  return page.files();
}

void WriteSweepPage(const SweepPage& sweep, const std::filesystem::path& out, const std::filesystem::path& data_dir) {
  WriteFileAtomic(out, SweepDocument(sweep));
  if (data_dir.empty()) return;
  MakeDirectory(data_dir);
  for (const ReportFile& file : SweepFiles(sweep)) WriteFileAtomic(data_dir / file.name, file.content);
}

}  // namespace nas
