// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/rank_options.h"

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/option_checks.h"

namespace nas {

void RankOptions::Validate() const {
  CheckRange("--ranks", ranks, 0, 4096);
  CheckRange("--shards", shards, 0, 65536);
  CheckChoice("--reduce", reduce, {"ring", "tree"});
  if (sync_bn && path_per_rank)
    ThrowUsage("--sync-bn and --path-per-rank exclude each other: BN layers differ between paths");
  CheckRange("--dead-after", dead_after_s, 1, 86400);
  CheckRange("--stall-timeout", stall_s, 1, 86400);
}

void RankOptions::AddTo(Json* config) const {
  if (shards > 1) (*config)["shards"] = shards;
  if (reduce != "ring") (*config)["reduce"] = reduce;
  if (path_per_rank) (*config)["path_per_rank"] = true;
  if (sync_bn) (*config)["sync_bn"] = true;
}

RankOptions RankOptionsFrom(const Json& config) {
  RankOptions options;
  options.shards = config.value("shards", 1);
  options.reduce = config.value("reduce", "ring");
  options.path_per_rank = config.value("path_per_rank", false);
  options.sync_bn = config.value("sync_bn", false);
  return options;
}

}  // namespace nas
