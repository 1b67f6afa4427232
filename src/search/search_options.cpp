// SPDX-License-Identifier: Apache-2.0
#include "nas/search/search_options.h"

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/option_checks.h"
#include "nas/core/text.h"
#include "nas/core/units.h"

namespace nas {
TargetRequest MakeTarget(const std::string& name, const std::string& budget) {
  TargetRequest request;
  request.name = name;
  request.text = budget;
  if (name.empty()) ThrowUsage("--target \"\" has no name; write --target cpu=5ms or --target macs=50M");
  if (budget.empty()) return request;
  if (budget.back() == '%') {
    request.share = ParsePercent(budget);
  } else if (request.is_count()) {
    request.amount = static_cast<double>(ParseCount(budget));
  } else {
    request.amount = ParseMillis(budget).value;
  }
  return request;
}

TargetRequest ParseTarget(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos) return MakeTarget(text, "");
  if (equals + 1 == text.size()) ThrowUsage(StrCat("--target ", text, " has an empty budget; write ", text, "5ms"));
  return MakeTarget(text.substr(0, equals), text.substr(equals + 1));
}

const std::vector<std::string>& StrategyNames() {
  static const std::vector<std::string> names{"two", "full_v2", "full", "reinforce", "random", "evolution"};
  return names;
}

std::vector<TargetRequest> SearchOptions::Requests() const {
  std::vector<TargetRequest> requests;
  for (const std::string& text : target) requests.push_back(ParseTarget(text));
  if (!latency.empty()) {
    if (requests.size() != 1 || !requests[0].text.empty()) {
      ThrowUsage(
          "--latency belongs to exactly one --target NAME without a budget of its own; write --target NAME=BUDGET");
    }
    requests[0] = MakeTarget(requests[0].name, latency);
  }
  if (requests.empty()) requests.push_back(MakeTarget("macs", ""));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (requests[i].name == requests[j].name && requests[i].text == requests[j].text) {
        ThrowUsage(StrCat("--target ", requests[i].name, requests[i].text.empty() ? "" : "=", requests[i].text,
                          " is given twice; give each target once"));
      }
    }
  }
  return requests;
}

void SearchOptions::Validate() const {
  Requests();
  CheckChoice("--strategy", strategy, StrategyNames());
  CheckChoice("--loss", loss, {"dual", "mul-log", "add-linear"});
  CheckChoice("--precision", precision, {"auto", "fp32", "bf16"});
  CheckChoice("--kernels", kernels, {"auto", "fused", "torch"});
  if (!resume.empty()) CheckChoice("--resume", resume, {"yes", "auto"});
  if (epochs != 0) CheckRange("--epochs", epochs, 1, 100000);
  if (warmup_epochs != -1) CheckRange("--warmup-epochs", warmup_epochs, 0, epochs > 0 ? epochs - 1 : 100000);
  if (batch != 0) CheckRange("--batch", batch, 2, 65536);
  CheckRange("--lr", lr, 0, 10);
  CheckRange("--width-mult", width_mult, 0.1, 4);
  if (resolution != 0) CheckRange("--resolution", resolution, 8, 1024);
  CheckRange("--tolerance", tolerance, 0, 1);
  if (latency_batch != 0) CheckRange("--latency-batch", latency_batch, 1, 65536);
  CheckRange("--threads", threads, 1, 4096);
  CheckRange("--limit-per-class", static_cast<double>(limit_per_class), 0, 1e9);
  CheckRange("--max-time", max_time_s, 0, 1e9);
  if (!from.empty() && target.empty()) {
    ThrowUsage("--from needs at least one --target NAME=BUDGET: what to select from the finished supernet");
  }
  ranks.Validate();
  if (!resume.empty() && out.empty()) ThrowUsage("--resume needs the run folder: --out DIR --resume");
  if (!resume.empty() && force) ThrowUsage("--resume and --force exclude each other; give one");
}

Json ToJson(const SearchOptions& o) {
  Json json;
  json["target"] = o.target;
  json["latency"] = o.latency;
  json["space"] = o.space;
  json["width_mult"] = o.width_mult;
  json["resolution"] = o.resolution;
  json["data"] = o.data;
  json["limit_per_class"] = o.limit_per_class;
  json["epochs"] = o.epochs;
  json["warmup_epochs"] = o.warmup_epochs;
  json["batch"] = o.batch;
  json["lr"] = o.lr;
  json["strategy"] = o.strategy;
  json["loss"] = o.loss;
  json["prune"] = o.prune;
  json["device"] = o.device;
  json["precision"] = o.precision;
  json["latency_batch"] = o.latency_batch;
  json["tolerance"] = o.tolerance;
  json["kernels"] = o.kernels;
  json["strict"] = o.strict;
  json["seed"] = o.seed;
  json["threads"] = o.threads;
  if (!o.from.empty()) json["from"] = o.from;
  o.ranks.AddTo(&json);
  return json;
}

SearchOptions SearchOptionsFromJson(const JsonDocument& document, const std::string& pointer) {
  ObjectReader reader(document, pointer);
  SearchOptions o;
  o.target = reader.Strings("target");
  o.latency = reader.String("latency");
  o.space = reader.String("space");
  o.width_mult = reader.Number("width_mult");
  o.resolution = static_cast<int>(reader.Int("resolution", 0, 1024));
  o.data = reader.String("data");
  o.limit_per_class = reader.Int("limit_per_class", 0, 1000000000);
  o.epochs = static_cast<int>(reader.Int("epochs", 0, 100000));
  o.warmup_epochs = static_cast<int>(reader.Int("warmup_epochs", -1, 100000));
  o.batch = static_cast<int>(reader.Int("batch", 0, 65536));
  o.lr = reader.Number("lr");
  o.strategy = reader.Choice("strategy", StrategyNames());
  o.loss = reader.String("loss");
  o.prune = reader.Bool("prune");
  o.device = reader.String("device");
  o.precision = reader.String("precision");
  o.latency_batch = static_cast<int>(reader.Int("latency_batch", 0, 65536));
  o.tolerance = reader.Number("tolerance");
  o.kernels = reader.String("kernels");
  o.strict = reader.Bool("strict");
  o.seed = static_cast<std::uint64_t>(reader.Int("seed", 0, INT64_MAX));
  o.threads = static_cast<int>(reader.Int("threads", 1, 4096));
  if (reader.Has("from")) o.from = reader.String("from");
  if (reader.Has("shards")) o.ranks.shards = static_cast<int>(reader.Int("shards", 1, 65536));
  if (reader.Has("reduce")) o.ranks.reduce = reader.String("reduce");
  if (reader.Has("path_per_rank")) o.ranks.path_per_rank = reader.Bool("path_per_rank");
  if (reader.Has("sync_bn")) o.ranks.sync_bn = reader.Bool("sync_bn");
  reader.Finish();
  o.Validate();
  return o;
}

}  // namespace nas
