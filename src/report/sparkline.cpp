// SPDX-License-Identifier: Apache-2.0
#include "sparkline.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "nas/core/text.h"

namespace nas::detail {

std::vector<double> Thinned(const std::vector<double>& values, std::size_t most) {
  if (values.size() <= most) return values;
  std::vector<double> out;
  for (std::size_t i = 0; i < most; ++i) {
    const std::size_t from = i * values.size() / most;
    const std::size_t to = (i + 1) * values.size() / most;
    double sum = 0;
    for (std::size_t j = from; j < to; ++j) sum += values[j];
    out.push_back(sum / static_cast<double>(to - from));
  }
  out.back() = values.back();
  return out;
}

std::string TextSparkline(const std::vector<double>& shares, std::size_t most) {
  constexpr std::array<const char*, 8> kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::string text;
  for (const double share : Thinned(shares, most)) {
    const double level = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) * kBars.size() : 0;
    text += kBars[std::min(kBars.size() - 1, static_cast<std::size_t>(level))];
  }
  return text;
}

std::string SvgSparkline(const std::vector<double>& shares) {
  constexpr double kWidth = 84, kHeight = 20, kPad = 2;
  const std::vector<double> values = Thinned(shares, 60);
  std::string points;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = values.size() < 2
                         ? kWidth / 2
                         : kPad + (kWidth - 2 * kPad) * static_cast<double>(i) / static_cast<double>(values.size() - 1);
    const double y = kHeight - kPad - (kHeight - 2 * kPad) * std::clamp(values[i], 0.0, 1.0);
    points += StrCat(i == 0 ? "" : " ", Fixed(x, 1), ",", Fixed(y, 1));
  }
  const std::string last = values.empty() ? "" : points.substr(points.rfind(' ') + 1);
  const std::size_t comma = last.find(',');
  std::string svg = StrCat("<svg class=\"spark\" viewBox=\"0 0 ", kWidth, " ", kHeight, "\" width=\"", kWidth,
                           "\" height=\"", kHeight, "\" aria-hidden=\"true\"><polyline points=\"", points, "\"/>");
  if (!last.empty())
    svg += StrCat("<circle cx=\"", last.substr(0, comma), "\" cy=\"", last.substr(comma + 1), "\" r=\"2\"/>");
  return svg + "</svg>";
}

}  // namespace nas::detail
