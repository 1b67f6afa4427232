// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "nas/core/json.h"
#include "utf8.h"

namespace nas {

namespace {

// Strings that are not UTF-8 (file names may be anything) are written with replacement characters, never refused.
std::string Dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

nlohmann::json Canonical(const Json& value) {
  if (value.is_object()) {
    nlohmann::json object = nlohmann::json::object();
    for (const auto& member : value.items()) object[member.key()] = Canonical(member.value());
    return object;
  }
  if (value.is_array()) {
    nlohmann::json array = nlohmann::json::array();
    for (const Json& element : value) array.push_back(Canonical(element));
    return array;
  }
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (number == std::floor(number) && std::abs(number) <= 0x1p53) return static_cast<std::int64_t>(number);
    return number;
  }
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  return nullptr;
}

bool HasOnlyScalars(const Json& value) {
  return std::all_of(value.begin(), value.end(), [](const Json& element) { return !element.is_structured(); });
}

// `[1, 2]` or `{"a": 1}`; only for containers of scalars.
std::string OneLine(const Json& value) {
  std::string line(1, value.is_array() ? '[' : '{');
  bool first = true;
  for (const auto& member : value.items()) {
    if (!first) line += ", ";
    first = false;
    if (value.is_object()) line += Dump(member.key()) + ": ";
    line += Dump(member.value());
  }
  return line + (value.is_array() ? ']' : '}');
}

void Print(const Json& value, std::size_t indent, bool is_root, std::string* out) {
  constexpr std::size_t kLongestLine = 100;
  if (!value.is_structured()) {
    *out += Dump(value);
    return;
  }
  if (value.empty() || (!is_root && HasOnlyScalars(value))) {
    const std::string line = OneLine(value);
    if (detail::Utf8Length(line) <= kLongestLine) {
      *out += line;
      return;
    }
  }
  *out += value.is_array() ? '[' : '{';
  bool first = true;
  for (const auto& member : value.items()) {
    *out += first ? "\n" : ",\n";
    first = false;
    out->append(indent + 2, ' ');
    if (value.is_object()) *out += Dump(member.key()) + ": ";
    Print(member.value(), indent + 2, /*is_root=*/false, out);
  }
  *out += '\n';
  out->append(indent, ' ');
  *out += value.is_array() ? ']' : '}';
}

}  // namespace

std::string CanonicalDump(const Json& value) {
  return Canonical(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string PrettyDump(const Json& value) {
  std::string text;
  Print(value, 0, /*is_root=*/true, &text);
  return text + '\n';
}

}  // namespace nas
