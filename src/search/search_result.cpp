// SPDX-License-Identifier: Apache-2.0
#include "nas/search/search_result.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/latency/cost_table.h"

namespace nas {
namespace {

CostUnit UnitOf(const std::string& unit) {
  return unit == "ms" ? CostUnit::kMillis : unit == "macs" ? CostUnit::kMacs : CostUnit::kParams;
}

Json NumberOrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

}  // namespace

bool SearchResult::met() const {
  return std::all_of(targets.begin(), targets.end(), [](const TargetResult& target) { return target.met; });
}

Json ToJson(const SearchResult& result) {
  Json json;
  json["schema"] = "nas.search/1";
  json["run"] = result.run;
  json["space"] = result.space;
  json["seed"] = result.seed;
  json["wall_s"] = result.wall_s;
  json["images_per_s"] = result.images_per_s;
  json["peak_memory_mib"] = result.peak_memory_mib;
  json["targets"] = Json::array();
  for (const TargetResult& t : result.targets) {
    Json item;
    item["target"] = t.target;
    item["folder"] = t.folder;
    item["unit"] = t.unit;
    item["asked"] = NumberOrNull(t.asked);
    item["predicted"] = t.predicted;
    item["interval"] = t.interval ? Json::array({t.interval->first, t.interval->second}) : Json(nullptr);
    item["measured"] = NumberOrNull(t.measured);
    item["met"] = t.met;
    item["expected"] = t.expected;
    item["argmax"] = {{"predicted", t.argmax_predicted}, {"log_prob", t.argmax_log_prob}};
    item["selected"] = {{"log_prob", t.selected_log_prob}, {"code", t.code}};
    item["macs"] = t.macs;
    item["params"] = t.params;
    item["accuracy"] = {{"top1", t.top1}, {"top5", t.top5}, {"images", t.images}};
    item["arch"] = ToJson(t.architecture);
    json["targets"].push_back(std::move(item));
  }
  if (result.ranking) json["ranking"] = *result.ranking;
  if (result.comm) json["comm"] = *result.comm;
  return json;
}

SearchResult SearchResultFromJson(const JsonDocument& document) {
  ObjectReader reader(document);
  reader.Choice("schema", {"nas.search/1"});
  SearchResult result;
  result.run = reader.String("run");
  result.space = reader.String("space");
  result.seed = static_cast<std::uint64_t>(reader.Int("seed", 0, INT64_MAX));
  result.wall_s = reader.Number("wall_s");
  result.images_per_s = reader.Number("images_per_s");
  result.peak_memory_mib = reader.Number("peak_memory_mib");
  for (ObjectReader& item : reader.Objects("targets")) {
    TargetResult t;
    t.target = item.String("target");
    t.folder = item.String("folder");
    t.unit = item.Choice("unit", {"ms", "macs", "params"});
    if (item.Has("asked")) t.asked = item.Number("asked");
    t.predicted = item.Number("predicted");
    if (item.Has("interval")) {
      const std::vector<double> interval = item.Numbers("interval");
      if (interval.size() != 2) item.Fail("interval", "an interval has two ends");
      t.interval = std::pair{interval[0], interval[1]};
    }
    if (item.Has("measured")) t.measured = item.Number("measured");
    t.met = item.Bool("met");
    t.expected = item.Number("expected");
    ObjectReader argmax = item.Object("argmax");
    t.argmax_predicted = argmax.Number("predicted");
    t.argmax_log_prob = argmax.Number("log_prob");
    ObjectReader selected = item.Object("selected");
    t.selected_log_prob = selected.Number("log_prob");
    t.code = selected.String("code");
    t.macs = item.Int("macs", 0, INT64_MAX);
    t.params = item.Int("params", 0, INT64_MAX);
    ObjectReader accuracy = item.Object("accuracy");
    t.top1 = accuracy.Number("top1");
    t.top5 = accuracy.Number("top5");
    t.images = accuracy.Int("images", 0, INT64_MAX);
    t.architecture = ArchitectureFromJson(JsonDocument::Parse(item.Raw("arch").dump(), document.source()));
    result.targets.push_back(std::move(t));
  }
  if (reader.Has("ranking")) result.ranking = reader.Raw("ranking");
  if (reader.Has("comm")) result.comm = reader.Raw("comm");
  return result;
}

std::string ToTable(const SearchResult& result, bool color) {
  TablePrinter table({"target", "asked", "predicted", "measured", "top-1", "MACs", "params", "network", "met"});
  for (const TargetResult& t : result.targets) {
    const CostUnit unit = UnitOf(t.unit);
    std::string predicted = CostToString(unit, t.predicted);
    if (t.interval) predicted += " ± " + CostToString(unit, (t.interval->second - t.interval->first) / 2);
    table.AddRow({t.target, t.asked ? CostToString(unit, *t.asked) : "-", predicted,
                  t.measured ? CostToString(unit, *t.measured) : "-", Fixed(100 * t.top1, 1) + " %",
                  CountToString(t.macs), CountToString(t.params), t.code, t.met ? "yes" : "NO"});
  }
  return table.ToString(color);
}

}  // namespace nas
