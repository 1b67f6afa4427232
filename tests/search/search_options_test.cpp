// SPDX-License-Identifier: Apache-2.0
#include "nas/search/search_options.h"

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/search/search_target.h"
#include "support/catch_compat.h"

using nas::ParseTarget;
using nas::SearchOptions;

namespace {

std::string Refusal(const SearchOptions& options) {
  try {
    options.Validate();
  } catch (const nas::Error& error) {
    REQUIRE(error.kind() == nas::ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("targets: latencies need units, counts do not, shares are of the range") {
  REQUIRE(ParseTarget("cpu=5ms").amount == 5.0);
  REQUIRE(ParseTarget("cpu=250us").amount == 0.25);
  REQUIRE(ParseTarget("macs=50M").amount == 50e6);
  REQUIRE(ParseTarget("params=1500k").amount == 1.5e6);
  REQUIRE(ParseTarget("mobile=50%").share == 0.5);
  REQUIRE_FALSE(ParseTarget("cpu").amount.has_value());
  REQUIRE_THROWS_AS(ParseTarget("cpu=5"), nas::Error);
  REQUIRE_THROWS_AS(ParseTarget("cpu="), nas::Error);
  REQUIRE_THROWS_AS(ParseTarget("=5ms"), nas::Error);
  REQUIRE_THROWS_AS(ParseTarget("cpu=-5ms"), nas::Error);
}

TEST_CASE("--latency belongs to one target without a budget; a target is given once") {
  SearchOptions options;
  options.target = {"cpu"};
  options.latency = "5ms";
  REQUIRE(options.Requests().at(0).amount == 5.0);
  options.target = {"cpu=4ms"};
  REQUIRE_THROWS_AS(options.Requests(), nas::Error);
  options.latency = "";
  options.target = {"macs=50M", "macs=60M"};
  REQUIRE(options.Requests().size() == 2);
  options.target = {"macs=50M", "macs=50M"};
  REQUIRE_THROWS_AS(options.Requests(), nas::Error);
  options.target = {};
  REQUIRE(options.Requests().at(0).name == "macs");
}

TEST_CASE("options out of range name flag and value") {
  SearchOptions strategy;
  strategy.strategy = "tow";
  REQUIRE(Refusal(strategy).find("\"two\"") != std::string::npos);
  SearchOptions warmup;
  warmup.epochs = 4;
  warmup.warmup_epochs = 4;
  REQUIRE(Refusal(warmup).find("--warmup-epochs 4") != std::string::npos);
  SearchOptions resume;
  resume.resume = "yes";
  REQUIRE(Refusal(resume).find("--out") != std::string::npos);
  SearchOptions both = resume;
  both.out = "run";
  both.force = true;
  REQUIRE(Refusal(both).find("--force") != std::string::npos);
}

TEST_CASE("options survive config.json") {
  SearchOptions options;
  options.target = {"cpu=50%", "macs=20M"};
  options.space = "tiny";
  options.epochs = 7;
  options.seed = 99;
  options.prune = false;
  const nas::Json json = ToJson(options);
  const auto document = nas::JsonDocument::Parse(nas::Json{{"options", json}}.dump(), "config.json");
  REQUIRE(ToJson(nas::SearchOptionsFromJson(document, "/options")) == json);
}

TEST_CASE("folders of targets are plain names") {
  REQUIRE(nas::TargetFolder(ParseTarget("cpu=50%")) == "cpu-50pct");
  REQUIRE(nas::TargetFolder(ParseTarget("macs=50M")) == "macs-50M");
  REQUIRE(nas::TargetFolder(ParseTarget("tables/my board.json=5ms")) == "my_board-5ms");
  REQUIRE(nas::TargetFolder(ParseTarget("cpu")) == "cpu");
}
