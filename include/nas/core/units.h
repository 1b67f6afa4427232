// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace nas {

/// A quantity with a unit that the compiler keeps apart from other quantities.
template <typename Tag, typename Rep>
struct Quantity {
  Rep value{};
  friend auto operator<=>(const Quantity&, const Quantity&) = default;
  friend Quantity operator+(Quantity a, Quantity b) { return {a.value + b.value}; }
  friend Quantity operator-(Quantity a, Quantity b) { return {a.value - b.value}; }
};

using Millis = Quantity<struct MillisTag, double>;      ///< latency of one forward call of the whole batch, ms
using Macs = Quantity<struct MacsTag, std::int64_t>;    ///< multiply-adds of one image
using Bytes = Quantity<struct BytesTag, std::int64_t>;  ///< memory or file size
using Joules = Quantity<struct JoulesTag, double>;      ///< energy

/// Reads `5ms`, `250us`, `1.5s`. Throws kUsage on a bare number (showing how to write it), an unknown unit, or a value
/// ≤ 0.
Millis ParseMillis(std::string_view text);
/// Reads a time of work, in seconds: `90s`, `10min`, `2h`, `500ms`. Throws kUsage likewise.
double ParseSeconds(std::string_view text);
/// Reads `1500k`, `60M`, `2.5G` or a plain count. Throws kUsage on an unknown unit or a value ≤ 0.
std::int64_t ParseCount(std::string_view text);
/// Reads `512MiB`, `1.2GiB`, `100kB`. Throws kUsage on a bare number.
Bytes ParseBytes(std::string_view text);
/// Reads `50%` or `5%` as 0.5 or 0.05. Throws kUsage without the sign or outside 0…100 %.
double ParsePercent(std::string_view text);

/// Shortest readable form: `4.97 ms`, `312 us`, `1.25 s`.
std::string ToString(Millis latency);
/// `320.4 M`, `7.5 k`, `1.20 G`; below 1,000 the plain count.
std::string CountToString(std::int64_t count);
std::string ToString(Macs macs);
std::string ToString(Bytes bytes);
/// `45 s`, `3 min 20 s`, `1 h 05 min`.
std::string SecondsToString(double seconds);

}  // namespace nas
