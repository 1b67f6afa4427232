// SPDX-License-Identifier: Apache-2.0
#include "progress_text.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "nas/core/json.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "utf8.h"

namespace nas::detail {

namespace {

// Units are counts, but an epoch may be half done: "3/12", "3.5/12".
std::string Units(double value) { return Fixed(value, value == std::floor(value) ? 0 : 1); }

double Fraction(const ProgressState& state) {
  return state.total > 0 ? std::clamp(state.done / state.total, 0.0, 1.0) : 0.0;
}

std::string Percent(const ProgressState& state) { return StrCat(Fixed(std::floor(100 * Fraction(state)), 0), '%'); }

std::string Counts(const ProgressState& state) {
  return state.total > 0 ? StrCat(Units(state.done), '/', Units(state.total)) : Units(state.done);
}

std::string Details(const ProgressState& state) {
  std::string text;
  for (const auto& [name, value] : state.fields) text += StrCat("  ", name, ' ', value);
  if (state.seconds_left >= 0) text += StrCat("  ", SecondsToString(state.seconds_left), " left");
  return text;
}

}  // namespace

std::string ProgressBarText(const ProgressState& state, int columns, bool color) {
  const auto room = static_cast<std::size_t>(std::max(columns - 1, 1));
  const std::string details = Details(state);
  if (state.total <= 0) return Utf8Prefix(StrCat(state.phase, "  ", Counts(state), details), room);
  const std::string counts = StrCat(' ', Percent(state), ' ', Counts(state));
  const std::size_t text = Utf8Length(state.phase) + 3 + Utf8Length(counts) + Utf8Length(details);  // 3 = " [" and "]"
  constexpr std::size_t kShortestBar = 8;
  constexpr std::size_t kLongestBar = 30;
  if (text + kShortestBar > room) return Utf8Prefix(StrCat(state.phase, counts, details), room);
  const std::size_t width = std::min(room - text, kLongestBar);
  const auto filled = static_cast<std::size_t>(std::floor(Fraction(state) * static_cast<double>(width)));
  return StrCat(state.phase, " [", color ? "\x1b[32m" : "", std::string(filled, '#'), color ? "\x1b[0m" : "",
                std::string(width - filled, '.'), ']', counts, details);
}

std::string ProgressPlainText(const ProgressState& state) {
  const std::string percent = state.total > 0 ? StrCat(" (", Percent(state), ')') : "";
  return StrCat(state.phase, ' ', Counts(state), percent, Details(state));
}

std::string ProgressJsonText(const ProgressState& state) {
  Json line = {{"schema", "nas.progress/1"}, {"phase", state.phase}, {"done", state.done}};
  line["total"] = state.total > 0 ? Json(state.total) : Json(nullptr);
  line["seconds_left"] = state.seconds_left >= 0 ? Json(state.seconds_left) : Json(nullptr);
  Json fields = Json::object();
  for (const auto& [name, value] : state.fields) fields[name] = value;
  line["fields"] = std::move(fields);
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace nas::detail
