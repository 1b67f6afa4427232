// SPDX-License-Identifier: Apache-2.0
#include "page.h"

#include <nlohmann/json.hpp>

#include "assets.h"
#include "markup.h"
#include "nas/core/text.h"
#include "nas/core/version.h"

namespace nas::detail {
namespace {

/// Rows of a chart's table in the page; the CSV has all.
constexpr std::size_t kTableRows = 120;

/// No network, no frames, no forms: what the page needs is in it.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

std::string Tools(const std::string& id, const std::string& table) {
  return StrCat(
      "<div class=tools>",
      table.empty() ? "" : StrCat("<details><summary>Numbers</summary><div class=scroll>", table, "</div></details>"),
      "<span class=get><button type=button data-csv=\"", Escaped(id), "\">CSV</button><button type=button data-svg=\"",
      Escaped(id), "\">SVG</button></span></div>");
}

std::string Caption(const std::string& title, const std::string& reading) {
  return StrCat("<figcaption><h4>", Escaped(title), "</h4>",
                reading.empty() ? "" : StrCat("<p>", Escaped(reading), "</p>"), "</figcaption>");
}

}  // namespace

Page::Page()
    : data_(
          std::make_unique<Json>(Json{{"charts", Json::array()}, {"heat", Json::object()}, {"csv", Json::object()}})) {}
Page::~Page() = default;

void Page::AddChart(Chart chart) {
  if (chart.empty()) return;
  chart.id = Id(chart.id);
  const Svg svg = DrawChart(chart);
  html_ += StrCat("<figure class=\"chart", chart.square ? " square" : "", "\" id=\"", Escaped(chart.id), "\">",
                  Caption(chart.title, chart.reading), "<div class=plot data-chart=\"", Escaped(chart.id), "\">",
                  svg.Inline(), "</div>", Tools(chart.id, ChartToTable(chart, kTableRows)), "</figure>");
  (*data_)["charts"].push_back(ChartToJson(chart));
  files_.push_back({chart.id + ".svg", svg.StandAlone()});
  files_.push_back({chart.id + ".csv", ChartToCsv(chart)});
}

void Page::AddFigure(const std::string& name, const std::string& title, const std::string& reading,
                     const std::string& svg_html, const std::string& table, const std::string& csv) {
  const std::string id = Id(name);
  html_ += StrCat("<figure class=figure id=\"", Escaped(id), "\">", Caption(title, reading), svg_html, Tools(id, table),
                  "</figure>");
  if (csv.empty()) return;
  // The script makes a heat map's CSV from its numbers.
  if (!(*data_)["heat"].contains(id)) (*data_)["csv"][id] = csv;
  files_.push_back({id + ".csv", csv});
}

void Page::AddFile(const std::string& name, const std::string& content) { files_.push_back({Id(name), content}); }

void Page::AddHeat(const std::string& id, const Json& heat) { (*data_)["heat"][id] = heat; }

std::string Page::Document(const std::string& title) const {
  std::string html = StrCat(
      "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<meta name=viewport "
      "content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=Content-Security-Policy content=\"",
      kPolicy, "\">\n<meta name=generator content=\"nas ", kVersion, "\">\n<title>", Escaped(title),
      "</title>\n<style>\n");
  html += TokensCss();
  html += FigureCss();
  html += PageCss();
  html += StrCat(
      "</style>\n</head>\n<body>\n<main>\n", html_, "\n</main>\n<footer><p>Made by nas ", kVersion,
      " from the files of the run folder. Interactive charts: Apache ECharts 6.1.0 (Apache-2.0).</p></footer>\n");
  html += StrCat("<script type=\"application/json\" id=data>", ScriptJson(*data_), "</script>\n<script>");
  html += EchartsJs();
  html += "</script>\n<script>\n";
  html += PageJs();
  html += "</script>\n</body>\n</html>\n";
  return html;
}

}  // namespace nas::detail
