// SPDX-License-Identifier: Apache-2.0
#include "heat_map.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "markup.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

constexpr double kPanelWidth = 250, kLabelWidth = 40, kTitle = 20, kRow = 13, kFoot = 16;
constexpr double kCells = kPanelWidth - kLabelWidth - 6;
constexpr int kLevels = 8;

int LevelOf(double p) { return std::clamp(static_cast<int>(std::lround(p * kLevels)), 0, kLevels); }

double PanelHeight(const HeatPanel& panel) { return kTitle + kRow * static_cast<double>(panel.labels.size()) + kFoot; }

/// Cells of one level as one path in units of cells: runs of equal level in a row are one rectangle. Dropped cells stay
/// empty.
void DrawCells(const HeatPanel& panel, double cell, double x0, double y0, Svg* svg) {
  std::vector<std::string> paths(kLevels + 1);
  for (std::size_t row = 0; row < panel.p.size(); ++row) {
    const std::vector<double>& p = panel.p[row];
    const auto level = [&](std::size_t i) { return p[i] < 0 ? -1 : LevelOf(p[i]); };
    for (std::size_t from = 0; from < p.size();) {
      std::size_t to = from + 1;
      while (to < p.size() && level(to) == level(from)) ++to;
      if (level(from) >= 0) {
        const std::size_t width = to - from;
        paths[level(from)] += StrCat("M", from, " ", row, "h", width, "v.92h-", width, "z");
      }
      from = to;
    }
  }
  svg->Open(StrCat("transform=\"translate(", Coordinate(x0), " ", Coordinate(y0), ") scale(", Fixed(cell, 4), " ", kRow,
                   ")\""));
  for (int level = 0; level <= kLevels; ++level) {
    if (!paths[level].empty()) svg->Path(paths[level], StrCat("h", level));
  }
  svg->Close();
}

void DrawPanel(const HeatMap& map, const HeatPanel& panel, double x, double y, Svg* svg) {
  const double x0 = x + kLabelWidth, y0 = y + kTitle;
  const double cell = kCells / static_cast<double>(std::max<std::size_t>(1, map.epochs.size()));
  svg->Text(x0, y + 13, "start", panel.edge, "strong");
  svg->Text(x + kPanelWidth - 6, y + 13, "end", StrCat("chosen: ", panel.labels[panel.selected]), "tiny");
  for (std::size_t row = 0; row < panel.labels.size(); ++row) {
    svg->Text(x0 - 5, y0 + kRow * static_cast<double>(row) + 10, "end", panel.labels[row],
              static_cast<int>(row) == panel.selected ? "tiny strong" : "tiny");
  }
  DrawCells(panel, cell, x0, y0, svg);
  svg->Rect(x0 - 0.8, y0 + kRow * panel.selected - 0.8, kCells + 1.6, kRow + 0.6, 1.5, "chosen");
  if (map.epochs.empty()) return;
  const double foot = y0 + kRow * static_cast<double>(panel.labels.size()) + 11;
  svg->Text(x0, foot, "start", StrCat(map.epochs.front()), "tiny");
  svg->Text(x0 + kCells / 2, foot, "middle", "epoch", "tiny");
  svg->Text(x0 + kCells, foot, "end", StrCat(map.epochs.back()), "tiny");
}

}  // namespace

HeatMap MakeHeatMap(const RunRecord& run, std::size_t target, const Explanation& explanation, std::size_t columns) {
  HeatMap map;
  std::vector<const EpochRecord*> epochs;
  for (const EpochRecord& epoch : run.epochs) {
    if (target < epoch.targets.size() && epoch.targets[target].p.size() == explanation.edges.size())
      epochs.push_back(&epoch);
  }
  const std::size_t n = std::min(columns, epochs.size());
  for (std::size_t c = 0; c < n; ++c) map.epochs.push_back(epochs[(c + 1) * epochs.size() / n - 1]->epoch);
  for (std::size_t e = 0; e < explanation.edges.size(); ++e) {
    const EdgeExplanation& edge = explanation.edges[e];
    HeatPanel panel{edge.name, {}, edge.selected, {}};
    for (std::size_t op = 0; op < edge.candidates.size(); ++op) {
      panel.labels.push_back(edge.candidates[op].label);
      auto& row = panel.p.emplace_back();
      for (std::size_t c = 0; c < n; ++c) {
        const std::size_t from = c * epochs.size() / n, to = (c + 1) * epochs.size() / n;
        double sum = 0;
        for (std::size_t i = from; i < to; ++i) {
          const auto& p = epochs[i]->targets[target].p[e];
          sum += op < p.size() ? p[op] : 0;
        }
        const int dropped = edge.candidates[op].pruned_at;
        const bool gone = dropped >= 0 && epochs[to - 1]->epoch > dropped;
        row.push_back(gone ? -1 : sum / static_cast<double>(to - from));
      }
    }
    map.panels.push_back(std::move(panel));
  }
  return map;
}

Svg DrawHeatPanel(const HeatMap& map, std::size_t edge, const std::string& id) {
  const HeatPanel& panel = map.panels[edge];
  Svg svg(kPanelWidth, PanelHeight(panel), StrCat("Probabilities of ", panel.edge, " over the epochs"));
  svg.Attribute(StrCat("data-heat=\"", Escaped(id), "\" data-edge=\"", edge, "\" data-cells=\"", kLabelWidth, ",",
                       kTitle, ",", kCells, ",", kRow, "\""));
  DrawPanel(map, panel, 0, 0, &svg);
  return svg;
}

std::string DrawHeatMapFile(const HeatMap& map) {
  constexpr std::size_t kColumns = 4;
  double height = 0;
  for (const HeatPanel& panel : map.panels) height = std::max(height, PanelHeight(panel) + 8);
  const std::size_t rows = (map.panels.size() + kColumns - 1) / kColumns;
  Svg svg(kPanelWidth * kColumns, height * static_cast<double>(std::max<std::size_t>(1, rows)),
          "Probabilities of every candidate over the epochs");
  for (std::size_t e = 0; e < map.panels.size(); ++e) {
    DrawPanel(map, map.panels[e], kPanelWidth * static_cast<double>(e % kColumns),
              height * static_cast<double>(e / kColumns), &svg);
  }
  return svg.StandAlone();
}

Json HeatMapToJson(const HeatMap& map) {
  Json json{{"epochs", map.epochs}, {"edges", Json::array()}};
  for (const HeatPanel& panel : map.panels) {
    Json rows = Json::array();
    for (const auto& row : panel.p) {
      Json values = Json::array();
      for (const double p : row) values.push_back(p < 0 ? -1 : std::lround(1000 * p));
      rows.push_back(std::move(values));
    }
    json["edges"].push_back({{"name", panel.edge}, {"labels", panel.labels}, {"p", std::move(rows)}});
  }
  return json;
}

std::string HeatMapToCsv(const HeatMap& map) {
  std::string csv = "edge,op";
  for (const int epoch : map.epochs) csv += StrCat(",", epoch);
  csv += "\n";
  for (const HeatPanel& panel : map.panels) {
    for (std::size_t op = 0; op < panel.labels.size(); ++op) {
      csv += StrCat(CsvField(panel.edge), ",", CsvField(panel.labels[op]));
      for (const double p : panel.p[op]) csv += StrCat(",", p < 0 ? std::string() : Fixed(p, 4));
      csv += "\n";
    }
  }
  return csv;
}

}  // namespace nas::detail
