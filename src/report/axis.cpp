// SPDX-License-Identifier: Apache-2.0
#include "axis.h"

#include <algorithm>
#include <cmath>

#include "nas/core/text.h"
#include "nas/core/units.h"

namespace nas::detail {
namespace {

/// Three significant digits, no more than needed.
std::string Short(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  const int digits = std::clamp(2 - static_cast<int>(std::floor(std::log10(size))), 0, 6);
  std::string text = Fixed(value, digits);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

int DecimalsOf(double step) { return std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9))); }

}  // namespace

std::string FormatValue(AxisFormat format, double value) {
  switch (format) {
    case AxisFormat::kPercent:
      return Fixed(100 * value, 1) + " %";
    case AxisFormat::kCount:
      return CountToString(static_cast<std::int64_t>(std::llround(value)));
    case AxisFormat::kMillis:
      return ToString(Millis{value});
    case AxisFormat::kPlain:
      break;
  }
  return Short(value);
}

Scale Scale::Around(double low, double high, int ticks, double pad) {
  if (!std::isfinite(low) || !std::isfinite(high) || low > high) return {};
  if (high == low) {
    const double spread = low == 0 ? 1 : std::abs(low) * 0.1;
    low -= spread;
    high += spread;
  }
  const double margin = pad * (high - low);
  const bool positive = low >= 0;
  low -= margin;
  high += margin;
  if (positive) low = std::max(low, 0.0);
  const double raw = (high - low) / std::max(1, ticks);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  Scale scale;
  scale.step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= raw * 0.999) scale.step = factor * power;
  }
  scale.low = scale.step * std::floor(low / scale.step + 1e-9);
  scale.high = scale.step * std::ceil(high / scale.step - 1e-9);
  return scale;
}

std::vector<double> Scale::Ticks() const {
  std::vector<double> ticks;
  for (int i = 0; i < 100; ++i) {
    const double tick = low + i * step;
    if (tick > high + step * 1e-6) break;
    ticks.push_back(std::abs(tick) < step * 1e-9 ? 0 : tick);
  }
  return ticks;
}

std::string Scale::Label(AxisFormat format, double tick) const {
  switch (format) {
    case AxisFormat::kPercent:
      return Fixed(100 * tick, DecimalsOf(100 * step)) + " %";
    case AxisFormat::kMillis:
      return high < 1 ? Fixed(1000 * tick, DecimalsOf(1000 * step)) + " us" : Fixed(tick, DecimalsOf(step)) + " ms";
    case AxisFormat::kCount: {
      const double unit = high >= 1e9 ? 1e9 : high >= 1e6 ? 1e6 : high >= 1e4 ? 1e3 : 1;
      return Fixed(tick / unit, DecimalsOf(step / unit)) + (unit == 1e9   ? " G"
                                                            : unit == 1e6 ? " M"
                                                            : unit == 1e3 ? " k"
                                                                          : "");
    }
    case AxisFormat::kPlain:
      break;
  }
  return Fixed(tick, DecimalsOf(step));
}

}  // namespace nas::detail
