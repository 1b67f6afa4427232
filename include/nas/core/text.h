// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace nas {

/// Streams all parts into one string: `StrCat("edge ", 3, " of ", n)`.
template <typename... Parts>
std::string StrCat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

std::string Join(const std::vector<std::string>& parts, std::string_view separator);
std::vector<std::string> Split(std::string_view text, char separator);
std::string Trim(std::string_view text);
bool StartsWith(std::string_view text, std::string_view prefix);
bool EndsWith(std::string_view text, std::string_view suffix);
std::string ToLower(std::string_view text);

/// Shell-style match with `*` and `?` over the whole text.
bool GlobMatch(std::string_view pattern, std::string_view text);

/// `value` with `digits` decimals, in the C locale.
std::string Fixed(double value, int digits);

/// Levenshtein distance with transposition of neighbours counted as one edit.
int EditDistance(std::string_view a, std::string_view b);

/// The choice nearest to `word`, or "" when none is near enough to be meant (more than a third of its letters differ).
std::string NearestName(std::string_view word, const std::vector<std::string>& choices);

/// `; did you mean "x"?` for a near choice, else `; known: a, b, c`. Appended to messages about unknown names.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& choices);

/// Strict number parsing of the whole text: false on rest, overflow, blanks, NaN or infinity.
bool ParseDouble(std::string_view text, double* value);
bool ParseInt(std::string_view text, long long* value);

}  // namespace nas
