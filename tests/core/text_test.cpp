// SPDX-License-Identifier: Apache-2.0
#include "nas/core/text.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>

#include "nas/core/rng.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

std::string RandomWord(CounterRng* rng, const std::string& letters, std::uint64_t longest) {
  std::string word(rng->Below(longest + 1), ' ');
  for (char& c : word) c = letters[rng->Below(letters.size())];
  return word;
}

TEST_CASE("Split and Join are inverse and keep empty parts") {
  CHECK(Split("a,,b,", ',') == std::vector<std::string>{"a", "", "b", ""});
  CHECK(Split("", ',') == std::vector<std::string>{""});
  CounterRng rng(1);
  for (int i = 0; i < 200; ++i) {
    const std::string text = RandomWord(&rng, "ab,", 12);
    CHECK(Join(Split(text, ','), ",") == text);
  }
  CHECK(Join({}, ", ") == "");
}

TEST_CASE("Trim, prefixes, suffixes, lower case") {
  CHECK(Trim(" \t\r\n a b \v\f") == "a b");
  CHECK(Trim("  ") == "");
  CHECK(StartsWith("cifar10:/x", "cifar10:"));
  CHECK_FALSE(StartsWith("ci", "cifar"));
  CHECK(EndsWith("a.json", ".json"));
  CHECK_FALSE(EndsWith("json", ".json"));
  CHECK(ToLower("MiB É") == "mib É");  // only ASCII letters: bytes of other characters stay
}

TEST_CASE("GlobMatch agrees with the recursive definition") {
  const std::function<bool(std::string_view, std::string_view)> match = [&](std::string_view p, std::string_view t) {
    if (p.empty()) return t.empty();
    if (p[0] == '*') return match(p.substr(1), t) || (!t.empty() && match(p, t.substr(1)));
    return !t.empty() && (p[0] == '?' || p[0] == t[0]) && match(p.substr(1), t.substr(1));
  };
  CounterRng rng(2);
  int matched = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string pattern = RandomWord(&rng, "ab*?", 6);
    const std::string text = RandomWord(&rng, "ab", 8);
    INFO(pattern << " on " << text);
    REQUIRE(GlobMatch(pattern, text) == match(pattern, text));
    matched += GlobMatch(pattern, text) ? 1 : 0;
  }
  CHECK(matched > 100);
  CHECK(GlobMatch("supernet.*", "supernet.full_v2"));
  CHECK_FALSE(GlobMatch("kernel", "kernel.x"));
  // The naive recursion would not come back from this one.
  CHECK_FALSE(GlobMatch("*a*a*a*a*a*a*a*a*a*a*b", std::string(2000, 'a')));
}

TEST_CASE("Fixed rounds to the digits asked for") {
  CHECK(Fixed(1.005, 1) == "1.0");
  CHECK(Fixed(-2.5, 0) == "-2");
  CHECK(Fixed(4.966, 2) == "4.97");
  CHECK(Fixed(0, 3) == "0.000");
  CHECK(Fixed(std::numeric_limits<double>::max(), 2).size() == 309 + 3);
  CHECK(Fixed(std::nan(""), 2) == "nan");
  CHECK(Fixed(-std::numeric_limits<double>::infinity(), 2) == "-inf");
}

TEST_CASE("EditDistance counts insertions, deletions, substitutions and swaps of neighbours") {
  CHECK(EditDistance("kernal", "kernel") == 1);
  CHECK(EditDistance("kernle", "kernel") == 1);
  CHECK(EditDistance("kitten", "sitting") == 3);
  CHECK(EditDistance("", "abc") == 3);
  CHECK(EditDistance("ca", "abc") == 3);  // optimal string alignment: no edit between the swapped letters
  CounterRng rng(3);
  for (int i = 0; i < 500; ++i) {
    const std::string a = RandomWord(&rng, "abc", 7);
    const std::string b = RandomWord(&rng, "abc", 7);
    const int distance = EditDistance(a, b);
    CHECK(distance == EditDistance(b, a));
    CHECK((distance == 0) == (a == b));
    CHECK(distance >= std::abs(static_cast<int>(a.size()) - static_cast<int>(b.size())));
    CHECK(distance <= static_cast<int>(std::max(a.size(), b.size())));
  }
}

TEST_CASE("names are suggested only when they are near") {
  const std::vector<std::string> names = {"kernel", "expand", "width", "K_max"};
  CHECK(NearestName("kernal", names) == "kernel");
  CHECK(NearestName("EXPAND", names) == "expand");
  CHECK(NearestName("k_max", names) == "K_max");
  CHECK(NearestName("stride", names) == "");
  CHECK(NearestName("", names) == "");
  CHECK(NearestName("kernel", {}) == "");
  CHECK(DidYouMean("kernal", names) == "; did you mean \"kernel\"?");
  CHECK(DidYouMean("stride", names) == "; known: kernel, expand, width, K_max");
  CHECK(DidYouMean("stride", {}) == "");
}

TEST_CASE("numbers are read whole or not at all") {
  double number = -1;
  CHECK(ParseDouble("-1.5e3", &number));
  CHECK(number == -1500);
  for (const char* bad : {"", " 1", "1 ", "1x", "nan", "inf", "-inf", "1e999", "0x10", "+1", "1,5", "--1", "."}) {
    number = 7;
    INFO(bad);
    CHECK_FALSE(ParseDouble(bad, &number));
    CHECK(number == 7);
  }
  long long whole = 0;
  CHECK(ParseInt("-9223372036854775808", &whole));
  CHECK(whole == std::numeric_limits<long long>::min());
  for (const char* bad : {"", "9223372036854775808", "1.0", "1e3", " 1", "0x1", "-"}) {
    INFO(bad);
    CHECK_FALSE(ParseInt(bad, &whole));
  }
}

}  // namespace
}  // namespace nas
