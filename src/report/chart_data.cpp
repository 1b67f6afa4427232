// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "chart.h"
#include "markup.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

const char* Name(AxisFormat format) {
  switch (format) {
    case AxisFormat::kPercent:
      return "percent";
    case AxisFormat::kCount:
      return "count";
    case AxisFormat::kMillis:
      return "ms";
    case AxisFormat::kPlain:
      break;
  }
  return "plain";
}

Json AxisToJson(const ChartAxis& axis) {
  return {{"title", axis.title}, {"format", Name(axis.format)}, {"zero", axis.from_zero}, {"whole", axis.whole}};
}

/// Six digits are more than a screen shows.
double Rounded(double value) { return std::stod(StrCat(value)); }

}  // namespace

Json ChartToJson(const Chart& chart) {
  Json json{{"id", chart.id},         {"title", chart.title},    {"x", AxisToJson(chart.x)}, {"y", AxisToJson(chart.y)},
            {"square", chart.square}, {"series", Json::array()}, {"marks", Json::array()}};
  for (const ChartSeries& series : chart.series) {
    Json item{{"name", series.name},
              {"kind", series.kind == SeriesKind::kDots   ? "dots"
                       : series.kind == SeriesKind::kStep ? "step"
                                                          : "line"},
              {"color", series.color},
              {"dashed", series.dashed},
              {"size", series.size},
              {"ring", series.ring},
              {"faint", series.faint},
              {"points", Json::array()}};
    for (const ChartPoint& point : series.points) {
      Json values = {Rounded(point.x), Rounded(point.y)};
      if (!point.label.empty()) values.push_back(point.label);
      item["points"].push_back(std::move(values));
    }
    json["series"].push_back(std::move(item));
  }
  for (const ChartMark& mark : chart.marks) {
    json["marks"].push_back({{"vertical", mark.vertical}, {"at", Rounded(mark.at)}, {"text", mark.text}});
  }
  return json;
}

std::string ChartToCsv(const Chart& chart) {
  std::string csv = StrCat("series,", CsvField(chart.x.title), ",", CsvField(chart.y.title), ",label\n");
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& point : series.points) {
      csv += StrCat(CsvField(series.name), ",", Plain(point.x), ",", Plain(point.y), ",", CsvField(point.label), "\n");
    }
  }
  return csv;
}

std::string ChartToTable(const Chart& chart, std::size_t rows) {
  std::string html = StrCat("<table><thead><tr><th>series<th class=n>", Escaped(chart.x.title), "<th class=n>",
                            Escaped(chart.y.title), "<th>label</thead><tbody>");
  std::size_t shown = 0;
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& point : series.points) {
      if (shown++ >= rows) continue;
      html += StrCat("<tr><td>", Escaped(series.name), "<td class=n>",
                     chart.x.whole ? Plain(point.x) : FormatValue(chart.x.format, point.x), "<td class=n>",
                     FormatValue(chart.y.format, point.y), "<td>", Escaped(point.label));
    }
  }
  html += "</tbody></table>";
  if (shown > rows) html += StrCat("<p class=note>", rows, " of ", shown, " rows; the CSV has all of them.</p>");
  return html;
}

}  // namespace nas::detail
