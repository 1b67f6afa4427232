// SPDX-License-Identifier: Apache-2.0
#include "nas/report/report.h"

#include <cctype>
#include <set>

#include "json_look.h"
#include "markup.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "page.h"
#include "run_charts.h"
#include "run_section.h"

namespace nas {
namespace {

using namespace detail;

/// `asked`, `measured`, … of all networks of all runs, one row each.
std::string ComparisonTable(const std::vector<RunRecord>& runs) {
  std::string html =
      "<div class=scroll><table class=compare><thead><tr><th>run<th>target<th class=n>asked<th class=n>predicted<th "
      "class=n>measured<th class=n>top-1<th class=n>MACs<th class=n>parameters<th class=n>seed<th "
      "class=n>time<th>state</thead><tbody>";
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const RunRecord& run = runs[r];
    const std::string head = StrCat("<tr><td><a href=\"#run-", r + 1, "\">", Escaped(run.name()), "</a>");
    const std::string tail =
        StrCat("<td class=n>", static_cast<std::int64_t>(LookNumber(LookObject(*run.config, "options"), "seed", 0)),
               "<td class=n>", Escaped(WallTime(run)), "<td>", ProgressChip(run));
    for (const TargetRecord& target : run.targets) {
      const auto text = [&](double value) { return CostToString(target.unit, value); };
      html += StrCat(head, "<td>", Escaped(target.label), "<td class=n>", target.budget ? text(*target.budget) : "–");
      if (target.outcome) {
        const NetworkOutcome& o = *target.outcome;
        html += StrCat("<td class=n>", text(o.predicted), "<td class=n>", o.measured ? text(*o.measured) : "–",
                       "<td class=n><b>", AccuracyText(o.top1), "</b><td class=n>", CountToString(o.macs),
                       "<td class=n>", CountToString(o.params));
      } else {
        html += "<td class=n>–<td class=n>–<td class=n>–<td class=n>–<td class=n>–";
      }
      html += tail;
    }
    if (run.kind == RunKind::kTrain) {
      const auto top1 = LookNumber(*run.result, "top1");
      html += StrCat(head, "<td>training<td class=n>–<td class=n>–<td class=n>–<td class=n><b>",
                     top1 ? AccuracyText(*top1) : "–", "</b><td class=n>",
                     run.architecture ? CountToString(CountMacs(*run.architecture).value) : "–", "<td class=n>",
                     run.architecture ? CountToString(CountParams(*run.architecture)) : "–", tail);
    }
  }
  return html + "</tbody></table></div>";
}

/// One sentence for the top of the page.
std::string Subtitle(const RunRecord& run) {
  std::vector<std::string> parts;
  const std::string space = LookText(LookObject(*run.config, "space"), "name");
  if (!space.empty()) parts.push_back(space);
  std::string data = LookText(LookObject(*run.config, "options"), "data");
  if (!data.empty()) parts.push_back(StrCat("data ", data));
  if (!run.epochs.empty()) parts.push_back(StrCat(run.epochs.back().epoch, " epochs"));
  if (const std::string wall = WallTime(run); !wall.empty()) parts.push_back(wall);
  if (const std::string started = LookText(*run.environment, "started"); started.size() >= 10)
    parts.push_back(started.substr(0, 10));
  return Join(parts, " · ");
}

void AddRun(const RunRecord& run, std::size_t number, bool several, Page* page) {
  const char* level = several ? "h2" : "h1";
  page->Add(StrCat("<section class=run id=run-", number, "><header class=runhead><", level, ">", Escaped(run.name()),
                   " ", ProgressChip(run), "</", level, "><p class=sub>", Escaped(Subtitle(run)), "</p></header>"));
  AddResults(run, page);
  for (std::size_t t = 0; t < run.targets.size(); ++t) AddTarget(run, t, page);
  AddCourse(run, page);
  AddDevices(run, page);
  AddEvents(run, page);
  AddReproduction(run, page);
  page->Add("</section>");
}

/// Distinct, safe in file names and element ids.
std::vector<std::string> Prefixes(const std::vector<RunRecord>& runs) {
  std::vector<std::string> prefixes;
  std::set<std::string> used;
  for (const RunRecord& run : runs) {
    std::string name;
    for (const char c : run.name())
      name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ? c : '-';
    std::string prefix = name;
    for (int n = 2; !used.insert(prefix).second; ++n) prefix = StrCat(name, "-", n);
    prefixes.push_back(prefix + "-");
  }
  return prefixes;
}

void Fill(const std::vector<RunRecord>& runs, Page* page) {
  page->Add(
      "<div class=top><span class=brand>nas<span>report</span></span><button type=button id=theme "
      "hidden>theme</button></div>");
  const bool several = runs.size() > 1;
  if (several) {
    page->Add(StrCat("<section><h1>", runs.size(), " runs compared</h1>", ComparisonTable(runs), "<div class=pair>"));
    for (Chart& chart : CompareTradeOffs(runs)) page->AddChart(std::move(chart));
    page->AddChart(CompareLosses(runs));
    page->Add("</div></section>");
  }
  const std::vector<std::string> prefixes = Prefixes(runs);
  for (std::size_t r = 0; r < runs.size(); ++r) {
    page->set_prefix(several ? prefixes[r] : "");
    AddRun(runs[r], r + 1, several, page);
  }
}

std::string TitleOf(const std::vector<RunRecord>& runs) {
  if (runs.size() == 1) return runs[0].name() + " · nas report";
  return StrCat(runs.size(), " runs · nas report");
}

}  // namespace

std::string ReportPage(const std::vector<RunRecord>& runs) {
  Page page;
  Fill(runs, &page);
  return page.Document(TitleOf(runs));
}

std::vector<ReportFile> ReportFiles(const std::vector<RunRecord>& runs) {
  Page page;
  Fill(runs, &page);
  return page.files();
}

void WriteReport(const std::vector<std::filesystem::path>& runs, const std::vector<std::string>& space_dirs,
                 const std::filesystem::path& out, const std::filesystem::path& data_dir) {
  if (runs.empty()) ThrowUsage("a report needs at least one run folder");
  std::vector<RunRecord> records;
  for (const std::filesystem::path& run : runs) records.push_back(ReadRun(run, space_dirs));
  Page page;
  Fill(records, &page);
  WriteFileAtomic(out, page.Document(TitleOf(records)));
  if (data_dir.empty()) return;
  MakeDirectory(data_dir);
  for (const ReportFile& file : page.files()) WriteFileAtomic(data_dir / file.name, file.content);
}

}  // namespace nas
