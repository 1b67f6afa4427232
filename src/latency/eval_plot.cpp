// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "nas/core/text.h"
#include "nas/latency/evaluation.h"

namespace nas {
namespace {

constexpr double kSide = 440, kMargin = 60;

std::string Escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

/// 1, 2 or 5 times a power of ten, so that about five ticks fit.
double TickStep(double range) {
  const double raw = range / 5;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw) return factor * power;
  }
  return 10 * power;
}

std::string Line(double x1, double y1, double x2, double y2, const char* style) {
  return StrCat("<line x1=\"", Fixed(x1, 1), "\" y1=\"", Fixed(y1, 1), "\" x2=\"", Fixed(x2, 1), "\" y2=\"",
                Fixed(y2, 1), "\" ", style, "/>\n");
}

std::string Text(double x, double y, const char* anchor, const std::string& text, const char* more = "") {
  return StrCat("<text x=\"", Fixed(x, 1), "\" y=\"", Fixed(y, 1), "\" text-anchor=\"", anchor, "\" ", more, ">",
                Escaped(text), "</text>\n");
}

}  // namespace

std::string ScatterSvg(const Evaluation& evaluation, const std::string& title) {
  double most = 0;
  for (const auto& item : evaluation.items) most = std::max({most, item.truth, item.predicted});
  most = most > 0 ? 1.05 * most : 1;
  const double full = kSide + 2 * kMargin;
  const auto x = [&](double ms) { return kMargin + std::clamp(ms / most, 0.0, 1.0) * kSide; };
  const auto y = [&](double ms) { return kMargin + (1 - std::clamp(ms / most, 0.0, 1.0)) * kSide; };
  std::string svg = StrCat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", full, "\" height=\"", full, "\" viewBox=\"0 0 ", full, " ",
      full, "\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
  const double step = TickStep(most);
  const int digits = std::max(0, static_cast<int>(-std::floor(std::log10(step))));
  for (int i = 0; i * step <= most; ++i) {
    const double tick = i * step;
    svg += Line(x(tick), y(0), x(tick), y(most), "stroke=\"#eee\"") +
           Line(x(0), y(tick), x(most), y(tick), "stroke=\"#eee\"");
    svg += Text(x(tick), y(0) + 16, "middle", Fixed(tick, digits)) +
           Text(x(0) - 6, y(tick) + 4, "end", Fixed(tick, digits));
  }
  svg += Line(x(0), y(0), x(most), y(most), "stroke=\"#333\"");
  const char* band = "stroke=\"#999\" stroke-dasharray=\"4 3\"";
  svg += Line(x(0), y(0), x(most / 1.1), y(most), band) + Line(x(0), y(0), x(most), y(0.9 * most), band);
  for (const auto& item : evaluation.items) {
    svg += StrCat("<circle cx=\"", Fixed(x(item.truth), 1), "\" cy=\"", Fixed(y(item.predicted), 1),
                  "\" r=\"3\" fill=\"", item.extrapolated_share > 0 ? "#d95f02" : "#1b6ca8",
                  "\" fill-opacity=\"0.6\"><title>", Escaped(item.name), ": measured ", Fixed(item.truth, 3),
                  " ms, predicted ", Fixed(item.predicted, 3), " ms</title></circle>\n");
  }
  const SplitReport& r = evaluation.report;
  svg += Text(kMargin, 24, "start", title, "font-size=\"15\"");
  svg += Text(kMargin, 44, "start",
              StrCat(r.split, ", n = ", r.n, ", MAPE ", Fixed(r.mape, 2),
                     " %, within 10 %: ", Fixed(100 * r.within_10pct, 0), " %"));
  svg += Text(kMargin + kSide / 2, full - 16, "middle", "measured, ms");
  svg += Text(18, kMargin + kSide / 2, "middle", "predicted, ms",
              StrCat("transform=\"rotate(-90 18 ", Fixed(kMargin + kSide / 2, 1), ")\"").c_str());
  return svg + "</svg>\n";
}

}  // namespace nas
