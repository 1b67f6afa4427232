// SPDX-License-Identifier: Apache-2.0
#include "nas/core/units.h"

#include <cmath>
#include <initializer_list>
#include <vector>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

namespace {

struct Unit {
  const char* name;
  double factor;
};

/// What one of the parsers below reads, for its messages.
struct Grammar {
  const char* quantity;       ///< "a latency"
  const char* unit_for_bare;  ///< unit to suggest behind a bare number
  const char* other_example;  ///< a second example
  std::initializer_list<Unit> units;
};

std::string Quoted(std::string_view text) { return StrCat('"', text, '"'); }

// Splits "12.5 ms" into 12.5 and "ms"; blanks around both parts are fine since printed quantities have one.
double ReadAmount(std::string_view text, const Grammar& grammar, std::string* unit) {
  const std::string trimmed = Trim(text);
  std::size_t end = trimmed.find_first_not_of("+-.0123456789");
  // An exponent belongs to the number only when digits follow: "1e3ms", but not the "E" of a unit.
  if (end != std::string::npos && end > 0 && (trimmed[end] == 'e' || trimmed[end] == 'E')) {
    const std::size_t digits = trimmed.find_first_not_of("+-0123456789", end + 1);
    const std::string exponent = trimmed.substr(end + 1, digits == std::string::npos ? digits : digits - end - 1);
    if (exponent.find_first_of("0123456789") != std::string::npos) end = digits;
  }
  const std::string number = trimmed.substr(0, end);
  double amount = 0;
  if (!ParseDouble(number, &amount)) {
    ThrowUsage(StrCat(Quoted(text), " is not ", grammar.quantity, "; write it as 5", grammar.unit_for_bare, " or ",
                      grammar.other_example));
  }
  *unit = end == std::string::npos ? "" : Trim(trimmed.substr(end));
  return amount;
}

double ReadQuantity(std::string_view text, const Grammar& grammar) {
  std::string unit;
  const double amount = ReadAmount(text, grammar, &unit);
  double factor = 0;
  std::vector<std::string> known;
  for (const Unit& candidate : grammar.units) {
    if (unit == candidate.name) factor = candidate.factor;
    if (*candidate.name != '\0') known.emplace_back(candidate.name);
  }
  if (factor == 0 && unit.empty()) {
    ThrowUsage(StrCat(Quoted(text), " has no unit; write it as ", Trim(text), grammar.unit_for_bare, " or ",
                      grammar.other_example));
  }
  if (factor == 0) {
    ThrowUsage(StrCat(Quoted(text), " has an unknown unit ", Quoted(unit), "; known: ", Join(known, ", ")));
  }
  const double value = amount * factor;
  if (!(value > 0)) {
    ThrowUsage(StrCat(Quoted(text), " is not above zero; write ", grammar.quantity, " such as 5", grammar.unit_for_bare,
                      " or ", grammar.other_example));
  }
  if (!std::isfinite(value)) ThrowUsage(StrCat(Quoted(text), " is too large; write a smaller number"));
  return value;
}

std::int64_t WholeNumber(std::string_view text, double value) {
  constexpr double kLargest = 9.0e18;  // below 2^63, so that the conversion is defined
  if (value > kLargest) ThrowUsage(StrCat(Quoted(text), " is too large; write a number below 9e18"));
  const double rounded = std::round(value);
  // 2.3k is 2299.9999999999995 in binary; anything farther off was meant as a fraction.
  if (std::abs(value - rounded) > 1e-9 * std::max(1.0, value)) {
    ThrowUsage(StrCat(Quoted(text), " is not a whole number; write it without a fraction"));
  }
  return static_cast<std::int64_t>(rounded);
}

// Three significant digits, but never fewer than all digits before the point.
std::string ThreeDigits(double value) {
  for (int digits = 2; digits > 0; --digits) {
    const std::string text = Fixed(value, digits);
    if (text.size() <= 4 + (value < 0 ? 1u : 0u)) return text;  // 4 = three digits and the point
  }
  return Fixed(value, 0);
}

}  // namespace

Millis ParseMillis(std::string_view text) {
  return {ReadQuantity(text, {"a latency", "ms", "250us", {{"us", 1e-3}, {"µs", 1e-3}, {"ms", 1}, {"s", 1e3}}})};
}

double ParseSeconds(std::string_view text) {
  return ReadQuantity(text, {"a time", "min", "90s", {{"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}}});
}

std::int64_t ParseCount(std::string_view text) {
  const double value = ReadQuantity(text, {"a count", "M", "1500k", {{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}}});
  return WholeNumber(text, value);
}

Bytes ParseBytes(std::string_view text) {
  const double value = ReadQuantity(text, {"a size",
                                           "MiB",
                                           "1.2GiB",
                                           {{"B", 1},
                                            {"kB", 1e3},
                                            {"MB", 1e6},
                                            {"GB", 1e9},
                                            {"TB", 1e12},
                                            {"KiB", 0x1p10},
                                            {"MiB", 0x1p20},
                                            {"GiB", 0x1p30},
                                            {"TiB", 0x1p40}}});
  // A fraction of a byte (1.2GiB) is nobody's intention: round.
  return {WholeNumber(text, std::round(value))};
}

double ParsePercent(std::string_view text) {
  std::string unit;
  const double amount = ReadAmount(text, {"a percentage", "%", "50%", {}}, &unit);
  if (unit.empty()) ThrowUsage(StrCat(Quoted(text), " has no unit; write it as ", Trim(text), "%"));
  if (unit != "%") ThrowUsage(StrCat(Quoted(text), " has an unknown unit ", Quoted(unit), "; known: %"));
  if (!(amount >= 0 && amount <= 100))
    ThrowUsage(StrCat(Quoted(text), " is outside 0% to 100%; write it as 5% or 50%"));
  return amount / 100;
}

std::string ToString(Millis latency) {
  const double magnitude = std::abs(latency.value);
  // The limits are those of rounding: 0.9996 ms prints as 1.00 ms, not as 1000 us.
  if (magnitude < 0.9995) return StrCat(ThreeDigits(latency.value * 1e3), " us");
  if (magnitude < 999.5) return StrCat(ThreeDigits(latency.value), " ms");
  return StrCat(ThreeDigits(latency.value / 1e3), " s");
}

std::string CountToString(std::int64_t count) {
  const double value = static_cast<double>(count);
  const double magnitude = std::abs(value);
  if (magnitude < 1e3) return std::to_string(count);
  if (magnitude < 999.95e3) return StrCat(Fixed(value / 1e3, 1), " k");
  if (magnitude < 999.95e6) return StrCat(Fixed(value / 1e6, 1), " M");
  return StrCat(Fixed(value / 1e9, 2), " G");
}

std::string ToString(Macs macs) { return CountToString(macs.value); }

std::string ToString(Bytes bytes) {
  const double value = static_cast<double>(bytes.value);
  const double magnitude = std::abs(value);
  if (magnitude < 0x1p10) return StrCat(bytes.value, " B");
  if (magnitude < 1023.95 * 0x1p10) return StrCat(Fixed(value / 0x1p10, 1), " KiB");
  if (magnitude < 1023.95 * 0x1p20) return StrCat(Fixed(value / 0x1p20, 1), " MiB");
  return StrCat(Fixed(value / 0x1p30, 2), " GiB");
}

std::string SecondsToString(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 0.05) return "0 s";
  if (seconds < 9.95) return StrCat(Fixed(seconds, 1), " s");
  if (seconds < 59.5) return StrCat(Fixed(seconds, 0), " s");
  const auto padded = [](std::int64_t n) { return StrCat(n < 10 ? "0" : "", n); };
  const auto whole = static_cast<std::int64_t>(std::min(std::round(seconds), 1e15));
  if (whole < 3600) return StrCat(whole / 60, " min ", padded(whole % 60), " s");
  const std::int64_t minutes = (whole + 30) / 60;
  return StrCat(minutes / 60, " h ", padded(minutes % 60), " min");
}

}  // namespace nas
