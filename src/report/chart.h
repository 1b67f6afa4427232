// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "axis.h"
#include "nas/core/json.h"
#include "svg.h"

namespace nas::detail {

struct ChartPoint {
  double x = 0, y = 0;
  std::string label;  ///< what a reader sees when pointing at it; "" = series and numbers only
};

enum class SeriesKind { kLine, kStep, kDots };

struct ChartSeries {
  std::string name;
  SeriesKind kind = SeriesKind::kLine;
  std::string color = "c1";  ///< token of assets/tokens.css: c1 … c6, ink, muted
  bool dashed = false;
  double size = 3;     ///< radius of dots
  bool ring = false;   ///< dots are hollow and on top: the network that was chosen
  bool faint = false;  ///< many dots
  std::vector<ChartPoint> points;
};

/// A line across the chart at one value.
struct ChartMark {
  bool vertical = false;
  double at = 0;
  std::string text;
};

struct ChartAxis {
  std::string title;
  AxisFormat format = AxisFormat::kPlain;
  bool from_zero = false;
  bool whole = false;  ///< ticks at whole numbers only
};

/// One figure as data: drawn as SVG, handed to the interactive chart as JSON, written as CSV and as an HTML table.
struct Chart {
  std::string id;       ///< unique in the page; also the file name
  std::string title;    ///< what it shows
  std::string reading;  ///< how to read it, one sentence
  ChartAxis x, y;
  std::vector<ChartSeries> series;
  std::vector<ChartMark> marks;
  bool square = false;  ///< equal axes with diagonal and ±10 % lines
  double height = 300;  ///< of 640 wide

  bool empty() const;
  std::size_t points() const;
};

Svg DrawChart(const Chart& chart);
/// What the page's script draws from.
Json ChartToJson(const Chart& chart);
/// `series,<x>,<y>,label`.
std::string ChartToCsv(const Chart& chart);
/// At most `rows` rows; says how many there are.
std::string ChartToTable(const Chart& chart, std::size_t rows);

}  // namespace nas::detail
