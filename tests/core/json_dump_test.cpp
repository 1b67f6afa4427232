// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "nas/core/json.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

TEST_CASE("equal values give equal canonical bytes") {
  const Json a = Json::parse(R"({"b": [1, 2.0, 0.1], "a": {"y": null, "x": true}})");
  const Json b = Json::parse(R"({"a": {"x": true, "y": null}, "b": [1.0, 2, 0.1]})");
  CHECK(CanonicalDump(a) == R"({"a":{"x":true,"y":null},"b":[1,2,0.1]})");
  CHECK(CanonicalDump(a) == CanonicalDump(b));
  CHECK(CanonicalDump(Json(-0.0)) == "0");
  CHECK(CanonicalDump(Json(18446744073709551615u)) == "18446744073709551615");
  CHECK(CanonicalDump(Json(1e300)) == "1e+300");
  CHECK(CanonicalDump(Json("é\n")) == "\"é\\n\"");
  CHECK(CanonicalDump(Json("\xff")) == "\"\xEF\xBF\xBD\"");
  CHECK(CanonicalDump(Json::parse("[1, 2]")) != CanonicalDump(Json::parse("[2, 1]")));
}

TEST_CASE("doubles survive both forms bit by bit") {
  CounterRng rng(1);
  for (int i = 0; i < 5000; ++i) {
    const std::uint64_t bits = (static_cast<std::uint64_t>(rng.Next()) << 32) | rng.Next();
    double value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    if (!std::isfinite(value)) continue;
    REQUIRE(Json::parse(CanonicalDump(Json(value))).get<double>() == value);
    REQUIRE(Json::parse(PrettyDump(Json(value))).get<double>() == value);
  }
}

TEST_CASE("short rows of scalars stand on one line") {
  Json value = Json::parse(R"({"name":"tiny","empty":[],"none":{},"row":[1,2.5,"x",null],
      "op":{"kernel":3,"expand":6},"rows":[[1,2],[3,4]]})");
  CHECK(PrettyDump(value) == R"({
  "name": "tiny",
  "empty": [],
  "none": {},
  "row": [1, 2.5, "x", null],
  "op": {"kernel": 3, "expand": 6},
  "rows": [
    [1, 2],
    [3, 4]
  ]
}
)");
  CHECK(PrettyDump(Json(3)) == "3\n");
  CHECK(PrettyDump(Json::object()) == "{}\n");
  Json small = Json::object();
  small["a"] = 1;
  CHECK(PrettyDump(small) == "{\n  \"a\": 1\n}\n");
}

TEST_CASE("long rows are broken") {
  Json value = Json::object();
  value["row"] = std::vector<int>(33, 1);  // 33 numbers and 32 separators: 99 characters with the brackets
  CHECK(Split(PrettyDump(value), '\n').size() == 4);
  value["row"] = std::vector<int>(34, 1);  // 102
  CHECK(Split(PrettyDump(value), '\n').size() == 4 + 35);
}

TEST_CASE("pretty text reads back as the same value in the same order") {
  const Json value = Json::parse(R"({"z":[{"a":[{"b":[]}]},{}],"a":"\"\\\u0001é","m":[[[1]],[]],"n":-1e-9})");
  CHECK(Json::parse(PrettyDump(value)).dump() == value.dump());
}

}  // namespace
}  // namespace nas
