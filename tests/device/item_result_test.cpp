// SPDX-License-Identifier: Apache-2.0
#include "nas/device/item_result.h"

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "support/catch_compat.h"

using namespace nas;

TEST_CASE("a result survives its line of JSON") {
  ItemResult result;
  result.id = "block mbconv:8,64,8,96,192,3,1,0,0,relu6";
  result.n = 57;
  result.min = 0.1;
  result.median = 1.0 / 3;
  result.ci = {0.33, 0.34};
  result.temp_c = {41, 55};
  result.Flag("unstable");
  result.Flag("unstable");
  CHECK(result.flags.size() == 1);
  const auto again = ItemResultFromJson(ObjectReader(JsonDocument::Parse(ToJson(result).dump(), "line")));
  CHECK(again == result);

  ItemResult failed;
  failed.id = "x";
  failed.error = "no memory";
  CHECK(ItemResultFromJson(ObjectReader(JsonDocument::Parse(ToJson(failed).dump(), "line"))) == failed);
}

TEST_CASE("damaged lines are refused") {
  ItemResult result;
  result.id = "x";
  result.n = 3;
  result.median = 1;
  Json json = ToJson(result);
  json["median"] = -1;
  CHECK_THROWS_AS(ItemResultFromJson(ObjectReader(JsonDocument::Parse(json.dump(), "line"))), Error);
  json["median"] = 1;
  json["surprise"] = 1;
  CHECK_THROWS_AS(ItemResultFromJson(ObjectReader(JsonDocument::Parse(json.dump(), "line"))), Error);
  json.erase("surprise");
  json.erase("n");
  CHECK_THROWS_AS(ItemResultFromJson(ObjectReader(JsonDocument::Parse(json.dump(), "line"))), Error);
}
