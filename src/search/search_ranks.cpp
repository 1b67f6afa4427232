// SPDX-License-Identifier: Apache-2.0
#include "search_ranks.h"

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/run_folder.h"
#include "nas/core/text.h"
#include "nas/train/rank_agreement.h"
#include "nas/train/shard_group.h"
#include "nas/train/synced_statistics.h"
#include "run_config.h"

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

int ShardsOfRun(const SearchOptions& options, int ranks) {
  if (options.ranks.shards > 0) return options.ranks.shards;
  if (options.resume.empty() || !RunFolder::IsRun(options.out)) return ranks;
  return RunFolder::ReadConfig(options.out).at("options").value("shards", 1);
}

void AgreeOnRun(const SearchSetup& setup, const SearchHooks& hooks) {
  ShardOptions{setup.options.ranks.shards, setup.options.ranks.reduce == "tree"}.Validate(hooks.ranks->Size());
  SyncedStatistics::Check(setup.options.ranks, hooks.ranks->Size());
  if (hooks.ranks->Size() == 1) return;
  Json hello = hooks.hello.empty() ? Json{{"must", Json::object()}, {"may", Json::object()}} : Json::parse(hooks.hello);
  hello["must"]["configuration"] = AbsentRun(setup).config_hash();
  hello["must"]["shards"] = setup.options.ranks.shards;
  hello["must"]["data"] = setup.data.listing_hash;
  hello["may"]["threads"] = setup.options.threads;
  CheckHello(*hooks.ranks, hooks.host, hello.at("must"), hello.at("may"));
}

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

std::vector<PrunedOp> SharePruned(Communicator& ranks, const std::vector<PrunedOp>& pruned) {
  Json list = Json::array();
  for (const PrunedOp& op : pruned) list.push_back({op.edge, op.op, op.probability});
  std::vector<PrunedOp> all;
  for (const Json& item : Json::parse(BroadcastText(ranks, list.dump(), 0))) {
    PrunedOp& op = all.emplace_back();
    op.edge = item.at(0).get<int>();
    op.op = item.at(1).get<int>();
    op.probability = item.at(2).get<double>();
  }
  return all;
}

}  // namespace nas
