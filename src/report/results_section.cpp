// SPDX-License-Identifier: Apache-2.0
// The head of a run's part of the page: verdict, figures, range.
#include <algorithm>
#include <cmath>

#include "json_look.h"
#include "markup.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "run_charts.h"
#include "run_section.h"

namespace nas::detail {
namespace {

std::string Figure(const std::string& name, const std::string& value, const std::string& note, bool big = false) {
  return StrCat("<div", big ? " class=big" : "", "><dt>", Escaped(name), "</dt><dd>", Escaped(value),
                note.empty() ? "" : StrCat("<small>", Escaped(note), "</small>"), "</dd></div>");
}

std::string Chip(const char* kind, const std::string& text) {
  return StrCat("<span class=\"chip ", kind, "\">", Escaped(text), "</span>");
}

/// Where the network lies between the cheapest and the dearest of the space.
std::string RangeBar(const TargetRecord& target) {
  if (!(target.max > target.min)) return "";
  double high = target.max;
  if (target.outcome) high = std::max(high, target.outcome->measured.value_or(0));
  const auto left = [&](double value) {
    return Fixed(std::clamp(100 * (value - target.min) / (high - target.min), 0.0, 100.0), 2);
  };
  const auto place = [&](const char* name, double value, const std::string& tip) {
    return StrCat("<i class=", name, " style=\"left:", left(value), "%\" title=\"", Escaped(tip), "\"></i>");
  };
  const auto text = [&](double value) { return CostToString(target.unit, value); };
  std::string bar = "<div class=range><div class=track>";
  if (target.budget) bar += StrCat("<i class=ok style=\"left:0;width:", left(*target.budget), "%\"></i>");
  std::string legend;
  if (target.outcome) {
    const NetworkOutcome& o = *target.outcome;
    if (o.interval && o.interval->second - o.interval->first > 0.005 * (high - target.min)) {
      const double from = std::stod(left(o.interval->first)), to = std::stod(left(o.interval->second));
      bar += StrCat("<i class=interval style=\"left:", Fixed(from, 2), "%;width:", Fixed(to - from, 2), "%\"></i>");
    }
    bar += place("predicted", o.predicted, "predicted " + text(o.predicted));
    legend = "<span><i class=predicted></i>predicted</span>";
    if (o.measured) {
      bar += place("measured", *o.measured, "measured " + text(*o.measured));
      legend += "<span><i class=measured></i>measured</span>";
    }
  }
  if (target.budget) {
    bar += place("asked", *target.budget, "asked " + text(*target.budget));
    legend += "<span><i class=asked></i>asked</span>";
  }
  return StrCat(bar, "</div><div class=ends><span>", text(target.min),
                "<small> least of the space</small></span><span class=keys>", legend, "</span><span>", text(high),
                "<small> most</small></span></div></div>");
}

/// `11 % below what was asked`.
std::string AgainstBudget(double value, const std::optional<double>& budget) {
  if (!budget || *budget <= 0) return "";
  const double percent = 100 * (value / *budget - 1);
  if (std::abs(percent) < 0.5) return "as asked";
  return StrCat(Fixed(std::abs(percent), 0), " % ", percent < 0 ? "below the target" : "above the target");
}

void AddOutcome(const RunRecord& run, const TargetRecord& target, Page* page) {
  const auto text = [&](double value) { return CostToString(target.unit, value); };
  std::string html = "<article class=result><header><h3>" + Escaped(target.label) + "</h3>";
  if (!target.outcome) {
    html += Chip("warn", "no network yet") + "</header><dl class=figures>";
    html += Figure("asked", target.budget ? text(*target.budget) : "no limit", "", true);
    const std::size_t index = static_cast<std::size_t>(&target - run.targets.data());
    if (!run.epochs.empty() && index < run.epochs.back().targets.size()) {
      const TargetEpoch& last = run.epochs.back().targets[index];
      html += Figure("expected now", text(last.expected), AgainstBudget(last.expected, target.budget));
      html += Figure("most probable network", text(last.argmax), "");
    }
    for (auto it = run.validations.rbegin(); it != run.validations.rend(); ++it) {
      if (it->target != target.label || !it->accuracy) continue;
      html += Figure("its accuracy so far", AccuracyText(*it->accuracy), "kept-out images");
      break;
    }
    page->Add(html + "</dl>" + RangeBar(target) + "</article>");
    return;
  }
  const NetworkOutcome& o = *target.outcome;
  const bool unit_ms = target.unit == CostUnit::kMillis;
  html += !target.budget ? Chip("plain", "no limit asked")
          : o.met        ? Chip("good", "target met")
                         : Chip("bad", "target missed");
  html += "</header><dl class=figures>";
  html += Figure("top-1", AccuracyText(o.top1), StrCat(AccuracyText(o.top5), " top-5"), true);
  if (o.measured) html += Figure("measured", text(*o.measured), AgainstBudget(*o.measured, target.budget), true);
  const std::string half =
      o.interval && unit_ms ? StrCat("± ", text((o.interval->second - o.interval->first) / 2)) : "";
  html += Figure("predicted", text(o.predicted),
                 o.measured || !target.budget ? half : AgainstBudget(o.predicted, target.budget), !o.measured);
  html += Figure("asked", target.budget ? text(*target.budget) : "no limit",
                 target.label.find('%') != std::string::npos
                     ? StrCat(target.label.substr(target.label.find('=') + 1), " of the range")
                     : "");
  if (target.unit != CostUnit::kMacs) html += Figure("MACs", CountToString(o.macs), "");
  if (target.unit != CostUnit::kParams) html += Figure("parameters", CountToString(o.params), "");
  html += StrCat("</dl>", RangeBar(target), "<p class=note>Network <code>", Escaped(o.code),
                 "</code>. Accuracy with the weights of the supernet, batch norm recalibrated, on ", o.images,
                 " test images; <code>nas train --run ", Escaped(run.path.string()), " --target ",
                 Escaped(target.folder), "</code> trains it by itself.</p></article>");
  page->Add(html);
}

void AddTraining(const RunRecord& run, Page* page) {
  std::string html = "<article class=result><header><h3>Training</h3></header><dl class=figures>";
  const Json& result = *run.result;
  if (result.is_object()) {
    html += Figure("top-1", AccuracyText(LookNumber(result, "top1", 0)),
                   StrCat(static_cast<std::int64_t>(LookNumber(result, "images", 0)), " test images"), true);
    html += Figure("top-5", AccuracyText(LookNumber(result, "top5", 0)), "");
    html += Figure("test loss", Fixed(LookNumber(result, "loss", 0), 3), "");
  } else if (!run.epochs.empty()) {
    const EpochRecord& last = run.epochs.back();
    for (auto it = run.epochs.rbegin(); it != run.epochs.rend(); ++it) {
      if (!it->test_top1) continue;
      html += Figure("top-1 so far", AccuracyText(*it->test_top1), StrCat("test set, epoch ", it->epoch), true);
      break;
    }
    if (last.accuracy) html += Figure("training accuracy", AccuracyText(*last.accuracy), "");
    if (last.loss) html += Figure("training loss", Fixed(*last.loss, 3), "");
  }
  if (run.architecture) {
    html += Figure("MACs", CountToString(CountMacs(*run.architecture).value), "");
    html += Figure("parameters", CountToString(CountParams(*run.architecture)), "");
  }
  page->Add(html + "</dl></article>");
}

}  // namespace

std::string AccuracyText(double share) { return Fixed(100 * share, 1) + " %"; }

std::string ProgressChip(const RunRecord& run) {
  switch (run.progress) {
    case RunProgress::kFinished:
      return Chip("good", "finished");
    case RunProgress::kUnfinished:
      return Chip("warn", "unfinished");
    case RunProgress::kFailed:
      return Chip("bad", "failed");
  }
  return "";
}

std::string WallTime(const RunRecord& run) {
  if (const auto wall = LookNumber(*run.result, "wall_s")) return SecondsToString(*wall);
  if (run.epochs.size() > 1 && run.epochs.front().t > 0)
    return SecondsToString(run.epochs.back().t - run.epochs.front().t) + " so far";
  return "";
}

void AddResults(const RunRecord& run, Page* page) {
  if (run.progress != RunProgress::kFinished)
    page->Add(StrCat("<p class=\"callout ", run.progress == RunProgress::kFailed ? "bad" : "warn", "\">",
                     Escaped(run.progress_text), "</p>"));
  for (const std::string& note : run.notes) page->Add(StrCat("<p class=\"callout warn\">", Escaped(note), "</p>"));
  page->Add("<div class=results>");
  if (run.kind == RunKind::kTrain) AddTraining(run, page);
  for (const TargetRecord& target : run.targets) AddOutcome(run, target, page);
  page->Add("</div>");
  // What the run says itself about how far its ranking of networks can be trusted.
  const Json& ranking = LookObject(*run.result, "ranking");
  if (const std::string text = LookText(ranking, "text"); !text.empty()) {
    page->Add(StrCat("<p class=\"callout ", LookText(ranking, "verdict") == "too small" ? "warn" : "plain",
                     "\"><b>How far the ranking can be trusted:</b> ", Escaped(text), ".</p>"));
  }
}

}  // namespace nas::detail
