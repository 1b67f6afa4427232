// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "chart.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

constexpr double kWidth = 640, kLeft = 58, kRight = 16, kTop = 14, kBottom = 46, kLegendRow = 20;
/// Beyond this many dots a file has no tool tips: the page's table and CSV have the numbers.
constexpr std::size_t kMostTips = 400;

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void Add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

Scale ScaleOf(const Chart& chart, bool vertical_axis) {
  const ChartAxis& axis = vertical_axis ? chart.y : chart.x;
  Extent extent;
  for (const ChartSeries& series : chart.series) {
    for (const ChartPoint& point : series.points) {
      extent.Add(vertical_axis ? point.y : point.x);
      if (chart.square) extent.Add(vertical_axis ? point.x : point.y);
    }
  }
  for (const ChartMark& mark : chart.marks) {
    if (mark.vertical != vertical_axis) extent.Add(mark.at);
  }
  if (axis.from_zero) extent.Add(0);
  Scale scale = Scale::Around(extent.low, extent.high, vertical_axis ? 4 : 6, axis.from_zero || axis.whole ? 0 : 0.06);
  // Nothing has a share above all.
  if (axis.format == AxisFormat::kPercent && extent.high <= 1) scale.high = std::min(scale.high, 1.0);
  if (axis.whole) {
    scale.step = std::max(1.0, std::round(scale.step));
    scale.low = extent.low;
    scale.high = std::max(extent.high, extent.low + 1);
  }
  return scale;
}

std::string PathOf(const ChartSeries& series, const std::function<double(double)>& x,
                   const std::function<double(double)>& y) {
  std::string d;
  double last_y = 0;
  for (const ChartPoint& point : series.points) {
    const double px = x(point.x), py = y(point.y);
    if (d.empty()) {
      d = StrCat("M", Coordinate(px), " ", Coordinate(py));
    } else if (series.kind == SeriesKind::kStep) {
      d += StrCat("L", Coordinate(px), " ", Coordinate(last_y), "L", Coordinate(px), " ", Coordinate(py));
    } else {
      d += StrCat("L", Coordinate(px), " ", Coordinate(py));
    }
    last_y = py;
  }
  return d;
}

/// Names with their marks above the plot; returns the height used.
double DrawLegend(const Chart& chart, Svg* svg) {
  if (chart.series.size() < 2) return 0;
  double x = kLeft, y = kTop;
  for (const ChartSeries& series : chart.series) {
    const double width = 34 + 6.6 * static_cast<double>(series.name.size());
    if (x + width > kWidth && x > kLeft) {
      x = kLeft;
      y += kLegendRow;
    }
    if (series.kind == SeriesKind::kDots) {
      svg->Circle(x + 8, y, series.ring ? 5 : 4, StrCat(series.ring ? "ring " : "dot ", series.color));
    } else {
      svg->Line(x, y, x + 16, y, StrCat("curve ", series.color, series.dashed ? " dash" : ""));
    }
    svg->Text(x + 22, y + 4, "start", series.name, "small");
    x += width;
  }
  return y - kTop + kLegendRow;
}

}  // namespace

bool Chart::empty() const { return points() == 0; }

std::size_t Chart::points() const {
  std::size_t count = 0;
  for (const ChartSeries& one : series) count += one.points.size();
  return count;
}

Svg DrawChart(const Chart& chart) {
  Svg svg(kWidth, chart.height, chart.title);
  const Scale sx = ScaleOf(chart, false), sy = ScaleOf(chart, true);
  const double top = kTop + DrawLegend(chart, &svg);
  const double bottom = chart.height - kBottom, right = kWidth - kRight;
  const auto x = [&](double value) { return kLeft + sx.Share(value) * (right - kLeft); };
  const auto y = [&](double value) { return bottom - sy.Share(value) * (bottom - top); };

  for (const double tick : sy.Ticks()) {
    svg.Line(kLeft, y(tick), right, y(tick), "grid");
    svg.Text(kLeft - 8, y(tick) + 4, "end", sy.Label(chart.y.format, tick), "tick");
  }
  std::vector<double> x_ticks;
  if (chart.x.whole) {
    for (double tick = sx.step * std::ceil(sx.low / sx.step); tick <= sx.high + 1e-9; tick += sx.step)
      x_ticks.push_back(tick);
  } else {
    x_ticks = sx.Ticks();
  }
  for (const double tick : x_ticks) {
    if (!chart.x.whole) svg.Line(x(tick), top, x(tick), bottom, "grid");
    svg.Text(x(tick), bottom + 18, "middle", sx.Label(chart.x.format, tick), "tick");
  }
  svg.Line(kLeft, bottom, right, bottom, "axis");
  svg.Text((kLeft + right) / 2, chart.height - 8, "middle", chart.x.title, "small");
  svg.VerticalText(13, (top + bottom) / 2, chart.y.title, "small");

  if (chart.square) {
    const double least = std::max(sx.low, sy.low), most = std::min(sx.high, sy.high);
    svg.Line(x(least), y(least), x(most), y(most), "axis");
    svg.Line(x(least), y(std::max(sy.low, 0.9 * least)), x(most), y(0.9 * most), "grid dash");
    svg.Line(x(std::max(sx.low, least / 1.1)), y(least), x(most / 1.1), y(most), "grid dash");
  }
  for (const ChartMark& mark : chart.marks) {
    if (mark.vertical) {
      svg.Line(x(mark.at), top, x(mark.at), bottom, "mark");
      const bool left = sx.Share(mark.at) > 0.7;
      svg.Text(x(mark.at) + (left ? -6 : 6), top + 10, left ? "end" : "start", mark.text, "small marktext");
    } else {
      svg.Line(kLeft, y(mark.at), right, y(mark.at), "mark");
      svg.Text(kLeft + 6, y(mark.at) + 14, "start", mark.text, "small marktext");
    }
  }
  const bool tips = chart.points() <= kMostTips;
  for (const ChartSeries& series : chart.series) {
    if (series.kind != SeriesKind::kDots) {
      svg.Path(PathOf(series, x, y), StrCat("curve ", series.color, series.dashed ? " dash" : ""));
      if (series.points.size() == 1) svg.Circle(x(series.points[0].x), y(series.points[0].y), 3, "dot " + series.color);
      continue;
    }
    for (const ChartPoint& point : series.points) {
      const std::string tip = StrCat(point.label.empty() ? series.name : point.label, ": ",
                                     FormatValue(chart.x.format, point.x), ", ", FormatValue(chart.y.format, point.y));
      svg.Circle(x(point.x), y(point.y), series.size,
                 StrCat(series.ring    ? "ring "
                        : series.faint ? "dot faint "
                                       : "dot ",
                        series.color),
                 tips ? tip : "");
    }
  }
  return svg;
}

}  // namespace nas::detail
