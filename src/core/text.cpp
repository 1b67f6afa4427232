// SPDX-License-Identifier: Apache-2.0
#include "nas/core/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace nas {

namespace {

// The <cctype> functions follow the process's locale; files and flags are always read as in the C locale.
bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char LowerLetter(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

template <typename Number>
bool ParseWhole(std::string_view text, Number* value) {
  Number parsed{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  *value = parsed;
  return true;
}

}  // namespace

std::string Join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) joined += separator;
    joined += parts[i];
  }
  return joined;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t at = text.find(separator); at != std::string_view::npos; at = text.find(separator, start)) {
    parts.emplace_back(text.substr(start, at - start));
    start = at + 1;
  }
  parts.emplace_back(text.substr(start));
  return parts;
}

std::string Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

bool StartsWith(std::string_view text, std::string_view prefix) { return text.starts_with(prefix); }
bool EndsWith(std::string_view text, std::string_view suffix) { return text.ends_with(suffix); }

std::string ToLower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), LowerLetter);
  return lower;
}

bool GlobMatch(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last '*' seen: only that one ever needs to be widened
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string Fixed(double value, int digits) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  // The longest double has 309 digits before the point; to_chars never looks at the locale.
  std::string buffer(static_cast<std::size_t>(320 + std::max(digits, 0)), '\0');
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, std::max(digits, 0));
  buffer.resize(static_cast<std::size_t>(result.ptr - buffer.data()));
  return buffer;
}

int EditDistance(std::string_view a, std::string_view b) {
  // Optimal string alignment: three rows of the usual table, the third for transpositions.
  std::vector<int> before(b.size() + 1);
  std::vector<int> previous(b.size() + 1);
  std::vector<int> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int substitution = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

std::string NearestName(std::string_view word, const std::vector<std::string>& choices) {
  const std::string lower = ToLower(word);
  std::string nearest;
  int least = 0;
  for (const std::string& choice : choices) {
    const int distance = EditDistance(lower, ToLower(choice));
    if (3 * distance > static_cast<int>(std::max(word.size(), choice.size()))) continue;
    if (nearest.empty() || distance < least) {
      nearest = choice;
      least = distance;
    }
  }
  return nearest;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& choices) {
  const std::string nearest = NearestName(word, choices);
  if (!nearest.empty()) return StrCat("; did you mean \"", nearest, "\"?");
  if (choices.empty()) return "";
  return StrCat("; known: ", Join(choices, ", "));
}

bool ParseDouble(std::string_view text, double* value) {
  double parsed = 0;
  if (!ParseWhole(text, &parsed) || !std::isfinite(parsed)) return false;
  *value = parsed;
  return true;
}

bool ParseInt(std::string_view text, long long* value) { return ParseWhole(text, value); }

}  // namespace nas
