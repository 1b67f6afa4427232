// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/rank_options.h"

#include <nlohmann/json.hpp>

#include "core/expect_error.h"
#include "nas/core/error.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::testing::MessageOf;

TEST_CASE("a single process leaves no trace in the configuration", "[dist]") {
  RankOptions options;
  options.shards = 1;
  options.ranks = 1;
  options.bucket_bytes = 1 << 22;
  Json config = Json::object();
  options.AddTo(&config);
  REQUIRE(config.empty());
}

TEST_CASE("what decides the bits is written and read again; where it is computed is not", "[dist]") {
  RankOptions options;
  options.ranks = 2;
  options.shards = 4;
  options.reduce = "tree";
  options.path_per_rank = true;
  Json config = Json::object();
  options.AddTo(&config);
  REQUIRE(config == Json{{"shards", 4}, {"reduce", "tree"}, {"path_per_rank", true}});
  const RankOptions again = RankOptionsFrom(config);
  REQUIRE(again.shards == 4);
  REQUIRE(again.reduce == "tree");
  REQUIRE(again.path_per_rank);
  REQUIRE(again.ranks == 0);
}

TEST_CASE("BN over all ranks is written and read again, and does not go with a path per rank", "[dist]") {
  RankOptions options;
  options.sync_bn = true;
  options.Validate();
  Json config = Json::object();
  options.AddTo(&config);
  REQUIRE(config == Json{{"sync_bn", true}});
  REQUIRE(RankOptionsFrom(config).sync_bn);
  options.path_per_rank = true;
  REQUIRE(MessageOf(ErrorKind::kUsage, [&] { options.Validate(); }).find("--sync-bn") != std::string::npos);
}

TEST_CASE("values out of range name the flag", "[dist]") {
  const auto message = [](const RankOptions& options) {
    return MessageOf(ErrorKind::kUsage, [&] { options.Validate(); });
  };
  RankOptions options;
  options.reduce = "star";
  REQUIRE(message(options).find("--reduce") != std::string::npos);
  options = {};
  options.ranks = -1;
  REQUIRE(message(options).find("--ranks") != std::string::npos);
  options = {};
  options.dead_after_s = 0;
  REQUIRE(message(options).find("--dead-after") != std::string::npos);
}
