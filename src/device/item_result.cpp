// SPDX-License-Identifier: Apache-2.0
#include "nas/device/item_result.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

namespace nas {

bool ItemResult::Has(const std::string& flag) const {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

void ItemResult::Flag(const std::string& flag) {
  if (!Has(flag)) flags.push_back(flag);
}

Json ToJson(const ItemResult& result) {
  Json json;
  json["id"] = result.id;
  if (!result.error.empty()) {
    json["error"] = result.error;
    return json;
  }
  json["n"] = result.n;
  json["min"] = result.min;
  json["p10"] = result.p10;
  json["p25"] = result.p25;
  json["median"] = result.median;
  json["p75"] = result.p75;
  json["p90"] = result.p90;
  json["p99"] = result.p99;
  json["mean"] = result.mean;
  json["std"] = result.std;
  json["mad"] = result.mad;
  json["ci"] = result.ci;
  json["outlier_share"] = result.outlier_share;
  json["warmup_runs"] = result.warmup_runs;
  json["first_ms"] = result.first_ms;
  json["reference_ms"] = result.reference_ms;
  json["quiet_share"] = result.quiet_share;
  json["seconds"] = result.seconds;
  json["temp_c"] = result.temp_c;
  json["mhz"] = result.mhz;
  json["flags"] = result.flags;
  return json;
}

ItemResult ItemResultFromJson(ObjectReader reader) {
  ItemResult result;
  result.id = reader.String("id");
  if (reader.Has("error")) {
    result.error = reader.String("error");
    reader.Finish();
    return result;
  }
  result.n = static_cast<int>(reader.Int("n", 1, std::numeric_limits<int>::max()));
  result.min = reader.Number("min");
  result.p10 = reader.Number("p10");
  result.p25 = reader.Number("p25");
  result.median = reader.Number("median");
  if (!(result.median > 0)) reader.Fail("median", "a time has to be above 0 ms");
  result.p75 = reader.Number("p75");
  result.p90 = reader.Number("p90");
  result.p99 = reader.Number("p99");
  result.mean = reader.Number("mean");
  result.std = reader.Number("std");
  result.mad = reader.Number("mad");
  const std::vector<double> ci = reader.Numbers("ci");
  if (ci.size() != 2) reader.Fail("ci", "an interval has two ends");
  result.ci = {ci[0], ci[1]};
  result.outlier_share = reader.Number("outlier_share");
  result.warmup_runs = static_cast<int>(reader.Int("warmup_runs", 0, std::numeric_limits<int>::max()));
  result.first_ms = reader.Number("first_ms");
  result.reference_ms = reader.Number("reference_ms");
  result.quiet_share = reader.Number("quiet_share");
  result.seconds = reader.Number("seconds");
  result.temp_c = reader.Numbers("temp_c");
  result.mhz = reader.Numbers("mhz");
  result.flags = reader.Strings("flags");
  reader.Finish();
  return result;
}

}  // namespace nas
