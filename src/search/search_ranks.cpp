// SPDX-License-Identifier: Apache-2.0
#include "search_ranks.h"

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

Json ToJson(const SearchTarget& target) {
  const CostTable& t = target.table;
  return {{"name", target.request.name},
          {"text", target.request.text},
          {"folder", target.folder},
          {"table_text", target.table_text},
          {"budget", target.budget ? Json(*target.budget) : Json(nullptr)},
          {"table",
           {{"target", t.target},
            {"unit", static_cast<int>(t.unit)},
            {"fixed", t.fixed},
            {"cost", t.cost},
            {"launches", t.launches},
            {"fixed_launches", t.fixed_launches},
            {"a", t.a},
            {"b", t.b},
            {"launch_bound", t.launch_bound},
            {"c0", t.c0},
            {"c1", t.c1},
            {"p", t.p}}}};
}

SearchTarget TargetFromJson(const Json& json) {
  SearchTarget target;
  json.at("name").get_to(target.request.name);
  json.at("text").get_to(target.request.text);
  json.at("folder").get_to(target.folder);
  json.at("table_text").get_to(target.table_text);
  if (!json.at("budget").is_null()) target.budget = json.at("budget").get<double>();
  const Json& table = json.at("table");
  CostTable& t = target.table;
  table.at("target").get_to(t.target);
  t.unit = static_cast<CostUnit>(table.at("unit").get<int>());
  table.at("fixed").get_to(t.fixed);
  table.at("cost").get_to(t.cost);
  table.at("launches").get_to(t.launches);
  table.at("fixed_launches").get_to(t.fixed_launches);
  table.at("a").get_to(t.a);
  table.at("b").get_to(t.b);
  table.at("launch_bound").get_to(t.launch_bound);
  table.at("c0").get_to(t.c0);
  table.at("c1").get_to(t.c1);
  table.at("p").get_to(t.p);
  return target;
}

}  // namespace

SearchTarget ShareTarget(Communicator* ranks, std::size_t index, const std::function<SearchTarget()>& resolve) {
  if (ranks == nullptr) return resolve();
  const std::string key = StrCat("target/", index);
  if (ranks->Rank() != 0) return TargetFromJson(Json::parse(ranks->Await(key)));
  SearchTarget target = resolve();
  ranks->Publish(key, ToJson(target).dump());
  return target;
}

Matrix ShareTargetState(Communicator& ranks, TargetState* target) {
  Matrix p = target->alphas.Probabilities();
  if (ranks.Size() == 1) return p;
  std::string text;
  if (ranks.Rank() == 0) {
    text = Json{
        {"alphas", target->alphas.State()},
        {"constraint", target->constraint.State()},
        {"baseline", target->baseline.State()},
        {"p",
         p}}.dump();
  }
  text = BroadcastText(ranks, text, 0);
  if (ranks.Rank() == 0) return p;
  const Json state = Json::parse(text);
  target->alphas.LoadState(state.at("alphas"));
  target->constraint.LoadState(state.at("constraint"));
  target->baseline.LoadState(state.at("baseline"));
  return state.at("p").get<Matrix>();
}

}  // namespace nas
