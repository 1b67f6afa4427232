// SPDX-License-Identifier: Apache-2.0
// The section `certificate` of `nas.latency/1`.
#include <nlohmann/json.hpp>

#include "table_sections.h"

namespace nas {
namespace {

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

std::optional<double> NumberOrNull(ObjectReader& reader, const std::string& key) {
  if (!reader.Has(key)) {
    reader.Ignore(key);
    return std::nullopt;
  }
  return reader.Number(key);
}

SplitReport ReadSplit(ObjectReader reader) {
  SplitReport r;
  r.split = reader.String("split");
  r.n = static_cast<int>(reader.Int("n", 0, 1 << 30));
  r.mape = reader.Number("mape");
  if (reader.Has("mape_interval")) r.mape_interval = ReadPair(reader, "mape_interval");
  r.median_ape = reader.Number("median_ape");
  r.p95_ape = reader.Number("p95_ape");
  r.max_ape = reader.Number("max_ape");
  r.bias = reader.Number("bias");
  r.rmse_ms = reader.Number("rmse_ms");
  r.rmse_pct = NumberOrNull(reader, "rmse_pct");
  r.within_5pct = reader.Number("within_5pct");
  r.within_10pct = reader.Number("within_10pct");
  r.spearman = NumberOrNull(reader, "spearman");
  r.kendall = NumberOrNull(reader, "kendall");
  if (reader.Has("regret")) {
    ObjectReader regret = reader.Object("regret");
    r.regret = SplitReport::Regret{regret.Number("share_met"), regret.Number("worst_overshoot_pct")};
    regret.Finish();
  }
  reader.Ignore("regret");
  r.coverage_95 = NumberOrNull(reader, "coverage_95");
  r.mean_width_pct = NumberOrNull(reader, "mean_width_pct");
  r.extrapolated_share = NumberOrNull(reader, "extrapolated_share");
  ObjectReader baselines = reader.Object("baselines");
  for (const auto& name : baselines.Keys()) {
    ObjectReader baseline = baselines.Object(name);
    SplitReport::Baseline b;
    b.mape = baseline.Number("mape");
    b.spearman = NumberOrNull(baseline, "spearman");
    baseline.Finish();
    r.baselines.emplace_back(name, b);
  }
  reader.Finish();
  return r;
}

Json ToJson(const TransferRecord& t) {
  Json loo = Json::object();
  for (const auto& [level, mape] : t.loo_mape) loo[level] = mape;
  return Json{{"level", t.level}, {"source_tables", t.source_tables},
              {"items", t.items}, {"outside_hull", t.outside_hull},
              {"loo_mape", loo},  {"forced", t.forced}};
}

TransferRecord ReadTransfer(ObjectReader reader) {
  TransferRecord t;
  t.level = reader.Choice("level", {"scale", "affine", "prior", "ridge", "scratch"});
  t.source_tables = reader.Strings("source_tables");
  t.items = static_cast<int>(reader.Int("items", 0, 1 << 30));
  t.outside_hull = static_cast<int>(reader.Int("outside_hull", 0, 1 << 30));
  ObjectReader loo = reader.Object("loo_mape");
  for (const auto& level : loo.Keys()) t.loo_mape.emplace_back(level, loo.Number(level));
  loo.Finish();
  t.forced = reader.String("forced");
  reader.Finish();
  return t;
}

}  // namespace

Json SplitToJson(const SplitReport& r) {
  Json json = Json{{"split", r.split}, {"n", r.n}, {"mape", r.mape}};
  if (r.mape_interval) json["mape_interval"] = *r.mape_interval;
  json["median_ape"] = r.median_ape;
  json["p95_ape"] = r.p95_ape;
  json["max_ape"] = r.max_ape;
  json["bias"] = r.bias;
  json["rmse_ms"] = r.rmse_ms;
  if (r.rmse_pct) json["rmse_pct"] = *r.rmse_pct;
  json["within_5pct"] = r.within_5pct;
  json["within_10pct"] = r.within_10pct;
  json["spearman"] = OrNull(r.spearman);
  json["kendall"] = OrNull(r.kendall);
  json["regret"] =
      r.regret ? Json{{"share_met", r.regret->share_met}, {"worst_overshoot_pct", r.regret->worst_overshoot_pct}}
               : Json(nullptr);
  json["coverage_95"] = OrNull(r.coverage_95);
  if (r.mean_width_pct) json["mean_width_pct"] = *r.mean_width_pct;
  if (r.extrapolated_share) json["extrapolated_share"] = *r.extrapolated_share;
  json["baselines"] = Json::object();
  for (const auto& [name, b] : r.baselines) {
    json["baselines"][name] = Json{{"mape", b.mape}};
    if (b.spearman) json["baselines"][name]["spearman"] = *b.spearman;
  }
  return json;
}

Json CertificateToJson(const Certificate& c) {
  Json json =
      Json{{"tool", c.tool},
           {"date", c.date},
           {"noise_floor", Json{{"within_run", OrNull(c.within_run)}, {"between_runs", OrNull(c.between_runs)}}}};
  json["splits"] = Json::array();
  for (const auto& split : c.splits) json["splits"].push_back(SplitToJson(split));
  if (c.transfer) json["transfer"] = ToJson(*c.transfer);
  return json;
}

Certificate CertificateFromJson(ObjectReader reader) {
  Certificate c;
  c.tool = reader.String("tool");
  c.date = reader.String("date");
  ObjectReader noise = reader.Object("noise_floor");
  c.within_run = NumberOrNull(noise, "within_run");
  c.between_runs = NumberOrNull(noise, "between_runs");
  noise.Finish();
  for (auto& split : reader.Objects("splits")) c.splits.push_back(ReadSplit(split));
  if (reader.Has("transfer")) c.transfer = ReadTransfer(reader.Object("transfer"));
  reader.Ignore("transfer");
  reader.Finish();
  return c;
}

}  // namespace nas
