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
  return json;
}

std::string ToTable(const SearchResult& result, bool color) {
  TablePrinter table({"target", "asked", "predicted", "measured", "top-1", "MACs", "params", "network", "met"});
  for (const TargetResult& t : result.targets) {
    const CostUnit unit = UnitOf(t.unit);
    std::string predicted = CostToString(unit, t.predicted);
    if (t.interval) predicted += " ± " + Fixed((t.interval->second - t.interval->first) / 2, 2);
    table.AddRow({t.target, t.asked ? CostToString(unit, *t.asked) : "-", predicted,
                  t.measured ? CostToString(unit, *t.measured) : "-", Fixed(100 * t.top1, 1) + " %", CountToString(t.macs),
                  CountToString(t.params), t.code, t.met ? "yes" : "NO"});
  }
  return table.ToString(color);
}

}  // namespace nas
