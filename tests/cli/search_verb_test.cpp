// SPDX-License-Identifier: Apache-2.0
// `nas search` on the procedural images, small enough for seconds.
#include <filesystem>

#include "nas/core/files.h"
#include "nas/core/text.h"
#include "program.h"
#include "support/catch_compat.h"

using nas::test::Outcome;
using nas::test::RunNas;

namespace {

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A search of a few seconds.
std::vector<std::string> Small(const std::string& out, std::vector<std::string> more) {
  std::vector<std::string> arguments{"search", "--data",   "demo", "--space", "tiny", "--limit-per-class",
                                     "40",     "--epochs", "2",    "--batch", "32",   "--out",
                                     out,      "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

TEST_CASE("a search meets its budget and writes the run folder of the contract", "[cli]") {
  const nas::TempDir dir;
  const std::string out = (dir.path() / "run").string();
  const Outcome outcome = RunNas(Small(out, {"--target", "macs=60%", "--target", "params=50%"}));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const auto result = outcome.json();
  REQUIRE(result["schema"] == "nas.search/1");
  REQUIRE(result["targets"].size() == 2);
  for (const auto& target : result["targets"]) {
    REQUIRE(target["met"] == true);
    REQUIRE(target["predicted"].get<double>() <= target["asked"].get<double>());
    REQUIRE(target["accuracy"]["images"].get<int>() > 0);
    const std::filesystem::path place = std::filesystem::path(out) / "targets" / target["folder"].get<std::string>();
    for (const char* file : {"arch.json", "net.config", "weights.safetensors"}) {
      INFO(file);
      REQUIRE(std::filesystem::exists(place / file));
    }
    // The written network is the one of the result.
    const auto shown = RunNas({"arch", "show", (place / "arch.json").string(), "--json"}).json();
    REQUIRE(shown["macs"] == target["macs"]);
    REQUIRE(shown["params"] == target["params"]);
    REQUIRE(shown["code"] == target["selected"]["code"]);
  }
  for (const char* file : {"config.json", "env.json", "metrics.jsonl", "nas.log", "result.json", "checkpoints"}) {
    INFO(file);
    REQUIRE(std::filesystem::exists(std::filesystem::path(out) / file));
  }

  SECTION("the folder is refused without --resume or --force; a finished run returns at once") {
    const Outcome again = RunNas(Small(out, {"--target", "macs=60%", "--target", "params=50%"}));
    REQUIRE(again.code == 3);
    const Outcome resumed = RunNas(Small(out, {"--target", "macs=60%", "--target", "params=50%", "--resume"}));
    REQUIRE(resumed.code == 0);
    REQUIRE(resumed.json()["targets"][0]["selected"] == result["targets"][0]["selected"]);
  }
  SECTION("the same seed gives the same networks, another seed another supernet") {
    const std::string twin = (dir.path() / "twin").string();
    const auto same = RunNas(Small(twin, {"--target", "macs=60%", "--target", "params=50%"})).json();
    REQUIRE(same["targets"][0]["arch"] == result["targets"][0]["arch"]);
    REQUIRE(same["targets"][0]["accuracy"] == result["targets"][0]["accuracy"]);
    REQUIRE(nas::ReadFile(std::filesystem::path(twin) / "targets" / "macs-60pct" / "weights.safetensors") ==
            nas::ReadFile(std::filesystem::path(out) / "targets" / "macs-60pct" / "weights.safetensors"));
  }
  SECTION("eval scores codes with inherited weights, one JSON line each") {
    const std::string code = result["targets"][0]["selected"]["code"];
    const Outcome scored = RunNas({"eval", "--supernet", out, "--archs", "-"}, code + "\n");
    INFO(scored.err);
    REQUIRE(scored.code == 0);
    REQUIRE(scored.json()["top1"].get<double>() == Approx(result["targets"][0]["accuracy"]["top1"].get<double>()));

    // As the search judged it: what its samples say of the whole schedule.
    const Outcome judged = RunNas({"eval", "--supernet", out, "--archs", "-", "--carve-out", "1000"}, code + "\n");
    INFO(judged.err);
    REQUIRE(judged.code == 0);
    CHECK(judged.json()["code"] == code);
    CHECK(judged.json()["images"].get<int>() <= 1000);
    CHECK_FALSE(judged.json().contains("loss"));
    CHECK(RunNas({"eval", "--supernet", out, "--archs", "-", "--carve-out", "-1"}, code + "\n").code == 2);
  }
  SECTION("a damaged checkpoint is refused by name") {
    std::filesystem::remove(std::filesystem::path(out) / "result.json");
    for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(out) / "checkpoints")) {
      std::filesystem::resize_file(file.path(), 100);
    }
    const Outcome broken = RunNas(Small(out, {"--target", "macs=60%", "--target", "params=50%", "--resume"}));
    REQUIRE(broken.code == 3);
    REQUIRE(Contains(broken.err, "checkpoint"));
  }
}

TEST_CASE("new targets from a finished supernet, without training", "[cli]") {
  const nas::TempDir dir;
  const std::string source = (dir.path() / "source").string();
  REQUIRE(RunNas(Small(source, {"--target", "macs=40%"})).code == 0);
  const std::string out = (dir.path() / "new").string();
  const std::vector<std::string> arguments{"search",   "--from",   source,       "--target", "macs=60%", "--target",
                                           "macs=80%", "--target", "params=50%", "--out",    out,        "--json"};
  const Outcome outcome = RunNas(arguments);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const auto result = outcome.json();
  REQUIRE(result["space"] == "tiny");
  REQUIRE(result["targets"].size() == 3);
  for (const auto& target : result["targets"]) {
    REQUIRE(target["met"] == true);
    REQUIRE(target["predicted"].get<double>() <= target["asked"].get<double>());
    REQUIRE(target["accuracy"]["images"].get<int>() > 0);
  }
  // Seconds instead of a search: no step was made.
  const std::string metrics = nas::ReadFile(std::filesystem::path(out) / "metrics.jsonl");
  REQUIRE_FALSE(Contains(metrics, "\"epoch\",\"t\""));

  SECTION("what contradicts the run is refused, and so is a run that has not ended") {
    const Outcome other = RunNas({"search", "--from", source, "--target", "macs=60%", "--epochs", "9"});
    REQUIRE(other.code == 2);
    REQUIRE(Contains(other.err, "--epochs 9"));
    REQUIRE(RunNas({"search", "--from", source}).code == 2);
    REQUIRE(RunNas({"search", "--from", (dir.path() / "none").string(), "--target", "macs=60%"}).code == 3);
  }
}

TEST_CASE("a time limit stops with a checkpoint, and --resume ends the run", "[cli]") {
  const nas::TempDir dir;
  const std::string out = (dir.path() / "run").string();
  const Outcome stopped = RunNas(Small(out, {"--target", "macs=50%", "--max-time", "1ms"}));
  INFO(stopped.err);
  REQUIRE(stopped.code == 75);
  REQUIRE(Contains(stopped.err, "--max-time"));
  REQUIRE(RunNas(Small(out, {"--target", "macs=50%", "--resume"})).code == 0);
}

TEST_CASE("a run says how far its ranking can be trusted, and lists what it judged", "[cli]") {
  const nas::TempDir dir;
  const std::string out = (dir.path() / "run").string();
  const Outcome outcome = RunNas(Small(out, {"--target", "macs=50%"}));
  REQUIRE(outcome.code == 0);
  const auto ranking = outcome.json()["ranking"];
  REQUIRE(ranking["architectures"].get<int>() >= 8);
  REQUIRE(ranking["verdict"] == "too small");  // two epochs rank nothing
  REQUIRE(Contains(outcome.err, "ranking of the supernet: too small"));
  const std::string samples = nas::ReadFile(std::filesystem::path(out) / "samples.jsonl");
  const auto first = nlohmann::json::parse(samples.substr(0, samples.find('\n')));
  for (const char* key : {"code", "target", "predicted", "accuracy", "epoch"}) REQUIRE(first.contains(key));
}

TEST_CASE("every strategy finds a network under the budget", "[cli]") {
  const nas::TempDir dir;
  const std::string strategy = GENERATE("full_v2", "full", "reinforce", "random", "evolution");
  INFO(strategy);
  const Outcome outcome =
      RunNas(Small((dir.path() / "run").string(), {"--target", "macs=40%", "--strategy", strategy}));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  REQUIRE(outcome.json()["targets"][0]["predicted"].get<double>() <=
          outcome.json()["targets"][0]["asked"].get<double>());
}

TEST_CASE("networks judged at the end move the probabilities that decide, and explain shows those", "[cli]") {
  const nas::TempDir dir;
  const std::string out = (dir.path() / "run").string();
  const auto result = RunNas({"search", "--data", "demo", "--space", "tiny", "--limit-per-class", "100", "--epochs",
                              "8", "--target", "macs=30%", "--target", "macs=60%", "--out", out, "--json"})
                          .json();
  const auto explained = RunNas({"explain", out, "--json"}).json();
  int evidence = 0;
  for (const std::string& line : nas::Split(nas::ReadFile(std::filesystem::path(out) / "metrics.jsonl"), '\n')) {
    evidence += Contains(line, "\"event\":\"evidence\"") ? 1 : 0;
  }
  REQUIRE(evidence == 1);
  for (std::size_t t = 0; t < 2; ++t) {
    const auto& target = result["targets"][t];
    const auto& shown = explained["targets"][t];
    REQUIRE(Contains(shown["evidence"].get<std::string>(), "networks judged"));
    REQUIRE(shown["selected"]["log_prob"].get<double>() ==
            Approx(target["selected"]["log_prob"].get<double>()).epsilon(1e-6));
    // A budget that pressed is used.
    const double asked = target["asked"].get<double>();
    if (target["expected"].get<double>() >= 0.9 * asked) REQUIRE(target["predicted"].get<double>() >= 0.9 * asked);
  }
}

TEST_CASE("a budget below the reachable range is refused with the range", "[cli]") {
  const nas::TempDir dir;
  const std::string out = (dir.path() / "run").string();
  const Outcome outcome = RunNas(Small(out, {"--target", "macs=1k"}));
  REQUIRE(outcome.code == 4);
  REQUIRE(Contains(outcome.err, "242.6 k"));
  REQUIRE_FALSE(std::filesystem::exists(out));
}

TEST_CASE("a dry run shows what would be and starts nothing", "[cli]") {
  const nas::TempDir dir;
  const std::string out = (dir.path() / "run").string();
  const auto plan = RunNas(Small(out, {"--target", "macs=50%", "--dry-run"})).json();
  REQUIRE(plan["parameters"].get<int>() > 100000);
  REQUIRE(plan["peak_memory_mib"].get<double>() > 0);
  REQUIRE(plan["wall_s"].get<double>() > 0);
  REQUIRE_FALSE(plan["ranking"]["enough"].get<bool>());  // a few images for each candidate
  REQUIRE(RunNas(Small(out, {"--target", "macs=1k", "--dry-run"})).code == 4);
  REQUIRE_FALSE(std::filesystem::exists(out));
}

TEST_CASE("bad places and data are one sentence and exit 3", "[cli]") {
  const nas::TempDir dir;
  SECTION("missing data folder") {
    const Outcome outcome =
        RunNas({"search", "--data", "/no/such/folder", "--target", "macs=50%", "--out", (dir.path() / "run").string()});
    REQUIRE(outcome.code == 3);
    REQUIRE(Contains(outcome.err, "/no/such/folder"));
    REQUIRE_FALSE(std::filesystem::exists(dir.path() / "run"));
  }
  SECTION("a class folder without images") {
    std::filesystem::create_directories(dir.path() / "data" / "cats");
    std::filesystem::create_directories(dir.path() / "data" / "dogs");
    const Outcome outcome = RunNas({"search", "--data", (dir.path() / "data").string(), "--target", "macs=50%", "--out",
                                    (dir.path() / "run").string()});
    REQUIRE(outcome.code == 3);
    REQUIRE(Contains(outcome.err, "cats"));
  }
  SECTION("a run folder that cannot be made") {
    nas::WriteFileAtomic(dir.path() / "file", "x");
    const Outcome outcome = RunNas(Small((dir.path() / "file" / "run").string(), {"--target", "macs=50%"}));
    REQUIRE(outcome.code == 3);
  }
}

TEST_CASE("a found network trains to a normal one, and evaluates to the same figure", "[cli]") {
  const nas::TempDir dir;
  const std::string search = (dir.path() / "search").string();
  const std::string train = (dir.path() / "train").string();
  REQUIRE(RunNas(Small(search, {"--target", "macs=50%"})).code == 0);
  const Outcome outcome =
      RunNas({"train", "--run", search, "--epochs", "1", "--limit-per-class", "40", "--out", train, "--json"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const auto evaluated = RunNas({"eval", "--run", train, "--json"}).json();
  REQUIRE(evaluated["schema"] == "nas.eval/1");
  REQUIRE(evaluated["images"].get<int>() > 0);
}
