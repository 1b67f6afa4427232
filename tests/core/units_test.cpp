// SPDX-License-Identifier: Apache-2.0
#include "nas/core/units.h"

#include <cmath>
#include <limits>

#include "core/expect_error.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

template <typename Parser>
std::string UsageError(const Parser& parse, const std::string& text) {
  return testing::MessageOf(ErrorKind::kUsage, [&] { parse(text); });
}

TEST_CASE("latencies need a unit") {
  CHECK(ParseMillis("5ms").value == 5);
  CHECK(ParseMillis("250us").value == Approx(0.25));
  CHECK(ParseMillis("250µs").value == Approx(0.25));
  CHECK(ParseMillis("1.5s").value == 1500);
  CHECK(ParseMillis(" 4.97 ms ").value == 4.97);
  CHECK(ParseMillis("1e-2ms").value == 0.01);
  CHECK(UsageError(ParseMillis, "5") == "\"5\" has no unit; write it as 5ms or 250us");
  CHECK(UsageError(ParseMillis, "5m") == "\"5m\" has an unknown unit \"m\"; known: us, µs, ms, s");
  CHECK(UsageError(ParseMillis, "fast") == "\"fast\" is not a latency; write it as 5ms or 250us");
  CHECK(UsageError(ParseMillis, "0ms") == "\"0ms\" is not above zero; write a latency such as 5ms or 250us");
  CHECK(UsageError(ParseMillis, "-5ms") == "\"-5ms\" is not above zero; write a latency such as 5ms or 250us");
  for (const char* bad : {"", "ms", "5 5ms", "nanms", "infms", "1e999ms", "5ms5", "1.2.3ms"}) {
    INFO(bad);
    CHECK(UsageError(ParseMillis, bad).front() == '"');
  }
}

TEST_CASE("times of work") {
  CHECK(ParseSeconds("90s") == 90);
  CHECK(ParseSeconds("10min") == 600);
  CHECK(ParseSeconds("2h") == 7200);
  CHECK(ParseSeconds("500ms") == 0.5);
  CHECK(UsageError(ParseSeconds, "90") == "\"90\" has no unit; write it as 90min or 90s");
}

TEST_CASE("counts may have a suffix and are whole") {
  CHECK(ParseCount("1500k") == 1'500'000);
  CHECK(ParseCount("60M") == 60'000'000);
  CHECK(ParseCount("2.5G") == 2'500'000'000);
  CHECK(ParseCount("2.3k") == 2300);
  CHECK(ParseCount("12") == 12);
  CHECK(UsageError(ParseCount, "1.5") == "\"1.5\" is not a whole number; write it without a fraction");
  CHECK(UsageError(ParseCount, "5m") == "\"5m\" has an unknown unit \"m\"; known: k, M, G");
  CHECK(UsageError(ParseCount, "1e10G") == "\"1e10G\" is too large; write a number below 9e18");
  CHECK(UsageError(ParseCount, "0").find("not above zero") != std::string::npos);
}

TEST_CASE("sizes") {
  CHECK(ParseBytes("512MiB").value == std::int64_t{512} << 20);
  CHECK(ParseBytes("1.2GiB").value == 1'288'490'189);  // 1.2·2^30 rounded
  CHECK(ParseBytes("100kB").value == 100'000);
  CHECK(ParseBytes("7B").value == 7);
  CHECK(UsageError(ParseBytes, "512") == "\"512\" has no unit; write it as 512MiB or 1.2GiB");
  CHECK(UsageError(ParseBytes, "5Mib").find("unknown unit \"Mib\"") != std::string::npos);
}

TEST_CASE("percentages") {
  CHECK(ParsePercent("50%") == 0.5);
  CHECK(ParsePercent("5 %") == 0.05);
  CHECK(ParsePercent("0%") == 0);
  CHECK(ParsePercent("100%") == 1);
  CHECK(UsageError(ParsePercent, "50") == "\"50\" has no unit; write it as 50%");
  CHECK(UsageError(ParsePercent, "101%") == "\"101%\" is outside 0% to 100%; write it as 5% or 50%");
  CHECK(UsageError(ParsePercent, "-1%").find("outside") != std::string::npos);
  CHECK(UsageError(ParsePercent, "5ms").find("unknown unit") != std::string::npos);
}

TEST_CASE("quantities print in three digits") {
  CHECK(ToString(Millis{4.966}) == "4.97 ms");
  CHECK(ToString(Millis{0.312}) == "312 us");
  CHECK(ToString(Millis{1250}) == "1.25 s");
  CHECK(ToString(Millis{0.9996}) == "1.00 ms");
  CHECK(ToString(Millis{9.996}) == "10.0 ms");
  CHECK(ToString(Millis{99.96}) == "100 ms");
  CHECK(ToString(Millis{999.6}) == "1.00 s");
  CHECK(ToString(Millis{-4.966}) == "-4.97 ms");
  CHECK(ToString(Macs{320'400'000}) == "320.4 M");
  CHECK(CountToString(7'500) == "7.5 k");
  CHECK(CountToString(1'200'000'000) == "1.20 G");
  CHECK(CountToString(999) == "999");
  CHECK(CountToString(999'960) == "1.0 M");
  CHECK(CountToString(999'960'000) == "1.00 G");
  CHECK(ToString(Bytes{512}) == "512 B");
  CHECK(ToString(Bytes{1536}) == "1.5 KiB");
  CHECK(ToString(Bytes{(1 << 20) - 1}) == "1.0 MiB");
  CHECK(ToString(Bytes{std::int64_t{5} << 30}) == "5.00 GiB");
}

TEST_CASE("times of work print as people say them") {
  CHECK(SecondsToString(0) == "0 s");
  CHECK(SecondsToString(0.42) == "0.4 s");
  CHECK(SecondsToString(45) == "45 s");
  CHECK(SecondsToString(59.7) == "1 min 00 s");
  CHECK(SecondsToString(200) == "3 min 20 s");
  CHECK(SecondsToString(3599.6) == "1 h 00 min");
  CHECK(SecondsToString(3900) == "1 h 05 min");
  CHECK(SecondsToString(26 * 3600) == "26 h 00 min");
  CHECK(SecondsToString(-1) == "?");
  CHECK(SecondsToString(std::numeric_limits<double>::infinity()) == "?");
}

TEST_CASE("what is printed reads back as nearly the same value") {
  CounterRng rng(4);
  for (int i = 0; i < 2000; ++i) {
    const double value = std::exp(rng.Uniform() * 20 - 5);  // 7 us to an hour
    const std::string text = ToString(Millis{value});
    INFO(text);
    REQUIRE(ParseMillis(text).value == Approx(value).epsilon(0.0051));
    CHECK(Split(text, ' ')[0].size() <= 4 + (value > 1e6 ? 3u : 0u));
    const auto count = static_cast<std::int64_t>(1 + std::exp(rng.Uniform() * 25));
    const std::string shown = CountToString(count);
    INFO(shown);
    REQUIRE(static_cast<double>(ParseCount(shown)) == Approx(static_cast<double>(count)).epsilon(0.051));
    const Bytes size{count};
    REQUIRE(static_cast<double>(ParseBytes(ToString(size)).value) == Approx(static_cast<double>(count)).epsilon(0.051));
  }
}

TEST_CASE("quantities of one kind compare and add") {
  CHECK(Millis{1} < Millis{2});
  CHECK(Macs{3} + Macs{4} == Macs{7});
  CHECK(Bytes{3} - Bytes{4} == Bytes{-1});
}

}  // namespace
}  // namespace nas
