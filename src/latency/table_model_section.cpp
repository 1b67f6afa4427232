// SPDX-License-Identifier: Apache-2.0
// The sections `model` and `calibration` of `nas.latency/1`.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/latency/block_key.h"
#include "nas/latency/features.h"
#include "table_sections.h"

namespace nas {
namespace {

void CheckSize(const ObjectReader& reader, const std::string& key, size_t got, size_t want) {
  if (got != want) reader.Fail(key, StrCat(got, " numbers instead of ", want));
}

double Positive(ObjectReader& reader, const std::string& key) {
  const double value = reader.Number(key);
  if (!(value > 0)) reader.Fail(key, StrCat(value, " is not above 0"));
  return value;
}

double NotNegative(ObjectReader& reader, const std::string& key) {
  const double value = reader.Number(key);
  if (!(value >= 0)) reader.Fail(key, StrCat(value, " is below 0"));
  return value;
}

std::vector<double> NotNegatives(ObjectReader& reader, const std::string& key) {
  std::vector<double> values = reader.Numbers(key);
  for (double value : values) {
    if (!(value >= 0)) reader.Fail(key, StrCat(value, " is below 0: costs are not negative"));
  }
  return values;
}

Json ToJson(const ResidualParams& r) {
  return Json{{"z_mean", r.z_mean}, {"z_std", r.z_std}, {"length", r.length}, {"lambda", r.lambda},
              {"s2", r.s2},         {"clip", r.clip},   {"alpha", r.alpha},   {"centres", r.centres}};
}

ResidualParams ReadResidual(ObjectReader reader) {
  ResidualParams r;
  r.z_mean = reader.Numbers("z_mean");
  CheckSize(reader, "z_mean", r.z_mean.size(), kShapeSize);
  r.z_std = reader.Numbers("z_std");
  CheckSize(reader, "z_std", r.z_std.size(), kShapeSize);
  for (double std : r.z_std) {
    if (!(std > 0)) reader.Fail("z_std", StrCat(std, " is not above 0"));
  }
  r.length = Positive(reader, "length");
  r.lambda = Positive(reader, "lambda");
  r.s2 = NotNegative(reader, "s2");
  r.clip = NotNegative(reader, "clip");
  r.alpha = reader.Numbers("alpha");
  const Json& centres = reader.Raw("centres");
  if (!centres.is_array()) reader.Fail("centres", "not an array of arrays of numbers");
  for (const Json& centre : centres) {
    if (!centre.is_array() || centre.size() != kShapeSize) reader.Fail("centres", "a centre that is not 9 numbers");
    auto& row = r.centres.emplace_back();
    for (const Json& value : centre) {
      if (!value.is_number()) reader.Fail("centres", "a centre that is not 9 numbers");
      row.push_back(value.get<double>());
    }
  }
  CheckSize(reader, "alpha", r.alpha.size(), r.centres.size());
  reader.Finish();
  return r;
}

Json RangeToJson(const SampledHull::Range& range) { return range ? Json(*range) : Json(nullptr); }

SampledHull::Range ReadRange(ObjectReader& reader, const std::string& key) {
  if (reader.IsNull(key)) {
    reader.Ignore(key);
    return std::nullopt;
  }
  return ReadPair(reader, key);
}

Json ToJson(const SampledHull& hull) {
  Json json = Json{{"h", RangeToJson(hull.h)},
                   {"cin", RangeToJson(hull.cin)},
                   {"cout", RangeToJson(hull.cout)},
                   {"mid", RangeToJson(hull.mid)},
                   {"resolution", RangeToJson(hull.resolution)}};
  json["k_s"] = Json::array();
  for (const auto& [k, s] : hull.k_s) json["k_s"].push_back(Json::array({k, s}));
  json["se_act"] = Json::array();
  for (const auto& [se, act] : hull.se_act) json["se_act"].push_back(Json::array({se, act}));
  json["ops"] = hull.ops;
  return json;
}

SampledHull ReadHull(ObjectReader reader) {
  SampledHull hull;
  hull.h = ReadRange(reader, "h");
  hull.cin = ReadRange(reader, "cin");
  hull.cout = ReadRange(reader, "cout");
  hull.mid = ReadRange(reader, "mid");
  hull.resolution = ReadRange(reader, "resolution");
  const auto pairs = [&](const std::string& key, const auto& add) {
    const Json& list = reader.Raw(key);
    if (!list.is_array()) reader.Fail(key, "not an array of pairs");
    for (const Json& pair : list) {
      if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_integer())
        reader.Fail(key, "an entry that is not a pair");
      add(pair);
    }
  };
  pairs("k_s", [&](const Json& pair) {
    if (!pair[1].is_number_integer()) reader.Fail("k_s", "an entry that is not a pair of whole numbers");
    hull.k_s.emplace_back(pair[0].get<int>(), pair[1].get<int>());
  });
  pairs("se_act", [&](const Json& pair) {
    if (!pair[1].is_string()) reader.Fail("se_act", "an entry that is not [0 or 1, activation class]");
    hull.se_act.emplace_back(pair[0].get<int>(), pair[1].get<std::string>());
  });
  hull.ops = reader.Strings("ops");
  reader.Finish();
  return hull;
}

HeadParams ReadHead(ObjectReader reader) {
  HeadParams head;
  head.features = reader.Strings("features");
  for (const auto& name : head.features) {
    try {
      HeadFeature(BlockKey{}, name);
    } catch (const Error& error) {
      reader.Fail("features", error.what());
    }
  }
  head.w = NotNegatives(reader, "w");
  CheckSize(reader, "w", head.w.size(), head.features.size());
  head.rows = static_cast<int>(reader.Int("rows", 0, 1 << 30));
  reader.Finish();
  return head;
}

Json ToJson(const TransferMap& map) {
  Json json = Json{{"level", map.level}, {"a", map.a},     {"b", map.b}, {"c", map.c},
                   {"mean", map.mean},   {"std", map.std}, {"w", map.w}};
  json["sources"] = Json::array();
  for (size_t i = 0; i < map.sources.size(); ++i) {
    json["sources"].push_back(Json{{"name", map.names[i]}, {"model", ModelToJson(map.sources[i])}});
  }
  return json;
}

TransferMap ReadTransferMap(ObjectReader reader) {
  TransferMap map;
  map.level = reader.Choice("level", {"affine", "ridge"});
  map.a = NotNegative(reader, "a");
  map.b = NotNegative(reader, "b");
  map.c = reader.Number("c");
  map.mean = reader.Numbers("mean");
  map.std = reader.Numbers("std");
  map.w = reader.Numbers("w");
  for (auto& source : reader.Objects("sources")) {
    map.names.push_back(source.String("name"));
    map.sources.push_back(ModelFromJson(source.Object("model")));
    source.Finish();
  }
  if (map.sources.empty()) reader.Fail("sources", "a transferred model without its source");
  const size_t columns = map.level == "ridge" ? kShapeSize + map.sources.size() : 0;
  CheckSize(reader, "mean", map.mean.size(), columns);
  CheckSize(reader, "std", map.std.size(), columns);
  CheckSize(reader, "w", map.w.size(), columns);
  for (double std : map.std) {
    if (!(std > 0)) reader.Fail("std", StrCat(std, " is not above 0"));
  }
  reader.Finish();
  return map;
}

}  // namespace

bool operator==(const TransferMap& x, const TransferMap& y) {
  return std::tie(x.level, x.a, x.b, x.c, x.mean, x.std, x.w, x.names, x.sources) ==
         std::tie(y.level, y.a, y.b, y.c, y.mean, y.std, y.w, y.names, y.sources);
}

std::array<double, 2> ReadPair(ObjectReader& reader, const std::string& key) {
  const std::vector<double> numbers = reader.Numbers(key);
  if (numbers.size() != 2 || !(numbers[0] <= numbers[1])) reader.Fail(key, "not two numbers in rising order");
  return {numbers[0], numbers[1]};
}

Json ModelToJson(const ModelParams& model) {
  Json json = Json{{"features", model.features}, {"channel_multiple", model.channel_multiple}, {"w", model.w}};
  json["residual"] = model.residual ? ToJson(*model.residual) : Json(nullptr);
  if (model.transfer) json["transfer"] = ToJson(*model.transfer);
  json["head"] = Json::object();
  for (const auto& [op, head] : model.head) {
    json["head"][op] = Json{{"features", head.features}, {"w", head.w}, {"rows", head.rows}};
  }
  json["hull"] = ToJson(model.hull);
  json["sigma_model"] = model.sigma_model;
  json["sigma_run"] = model.sigma_run;
  return json;
}

ModelParams ModelFromJson(ObjectReader reader) {
  ModelParams model;
  model.features = reader.Strings("features");
  std::vector<std::string> expected = PhiNames();
  if (model.features != expected) {
    expected.insert(expected.end(), NetFeatureNames().begin(), NetFeatureNames().end());
    if (model.features != expected) {
      reader.Fail("features", StrCat("not the cost terms of this version, in order: ", Join(PhiNames(), ", ")));
    }
  }
  model.channel_multiple = static_cast<int>(reader.Int("channel_multiple", 1, 64));
  model.w = NotNegatives(reader, "w");
  CheckSize(reader, "w", model.w.size(), model.features.size());
  if (reader.IsNull("residual")) {
    reader.Ignore("residual");
  } else {
    model.residual = ReadResidual(reader.Object("residual"));
  }
  if (reader.Has("transfer")) model.transfer = ReadTransferMap(reader.Object("transfer"));
  reader.Ignore("transfer");
  ObjectReader heads = reader.Object("head");
  for (const auto& op : heads.Keys()) {
    const BlockOp parsed = [&] {
      try {
        return ParseBlockOp(op);
      } catch (const Error& error) {
        heads.Fail(op, error.what());
      }
    }();
    if (parsed == BlockOp::kMbconv) heads.Fail(op, "mbconv has no head model");
    model.head.emplace_back(op, ReadHead(heads.Object(op)));
  }
  heads.Finish();
  std::sort(model.head.begin(), model.head.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  model.hull = ReadHull(reader.Object("hull"));
  model.sigma_model = NotNegative(reader, "sigma_model");
  model.sigma_run = NotNegative(reader, "sigma_run");
  reader.Finish();
  return model;
}

Json CalibrationToJson(const Calibration& c) {
  return Json{{"form", c.form}, {"a", c.a}, {"b", c.b},       {"c0", c.c0},
              {"c1", c.c1},     {"p", c.p}, {"nets", c.nets}, {"sigma_cal", c.sigma_cal},
              {"q", c.q}};
}

Calibration CalibrationFromJson(ObjectReader reader) {
  Calibration c;
  c.form = reader.Choice("form", {"none", "scale", "affine", "launch_bound"});
  c.a = Positive(reader, "a");
  c.b = NotNegative(reader, "b");
  c.c0 = NotNegative(reader, "c0");
  c.c1 = NotNegative(reader, "c1");
  c.p = reader.Number("p");
  if (!(c.p >= 1)) reader.Fail("p", StrCat(c.p, " is below 1"));
  c.nets = static_cast<int>(reader.Int("nets", 0, 1 << 30));
  c.sigma_cal = NotNegative(reader, "sigma_cal");
  c.q = Positive(reader, "q");
  reader.Finish();
  return c;
}

}  // namespace nas
