// SPDX-License-Identifier: Apache-2.0
#include "nas/device/command_engine.h"

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

#include "engine_contract.h"

using namespace nas;

namespace {

constexpr const char* kHello =
    "echo '{\"type\":\"hello\",\"engine\":\"fake\",\"version\":\"1.0\",\"precision\":\"fp32\"}'\n";
// Five samples, or as many as asked for where that is less; the model file says how long each takes.
constexpr const char* kSamples =
    "n=$8; [ $n -gt 5 ] && n=5\nms=$(cat \"$2\")\ni=0\n"
    "while [ $i -lt $n ]; do echo \"{\\\"type\\\":\\\"sample\\\",\\\"ms\\\":$ms}\"; i=$((i + 1)); done\n"
    "echo \"{\\\"type\\\":\\\"done\\\",\\\"runs\\\":$n}\"\n";

// A runtime that is a shell script, and models that hold the time they take: 0.001 ms per character of their keys.
struct FakeRuntime {
  TempDir dir;
  EngineOptions options;
  std::map<std::string, double> cost;  // by keys

  explicit FakeRuntime(const std::string& body = std::string(kHello) + kSamples) {
    options.command.program = (dir.path() / "runtime").string();
    WriteFileAtomic(options.command.program, "#!/bin/sh\n" + body);
    std::filesystem::permissions(options.command.program, std::filesystem::perms::owner_all);
    options.command.make_model = [this](const MeasureItem& item, const std::string& folder) {
      const std::string path = folder + "/model.onnx";
      const auto known = cost.find(Join(item.keys, " "));
      WriteFileAtomic(path, StrCat(known != cost.end() ? known->second : 1e-6));
      return path;
    };
  }
};

constexpr const char* kBlockKey = "mbconv:8,8,8,8,16,3,1,1,0,relu6";
constexpr const char* kAdapterKey = "conv1x1:8,3,8,8,0,0,1,0,0,-";

MeasureItem Block() {
  MeasureItem item;
  item.id = "block";
  item.kind = MeasureItem::Kind::kBlock;
  item.keys = {"conv:16,3,8,8,0,0,0,0,0,-", kBlockKey};
  item.timed = 1;
  item.resolution = 16;
  return item;
}

MeasureItem Net() {
  MeasureItem item = Block();
  item.id = "net";
  item.kind = MeasureItem::Kind::kNet;
  return item;
}

}  // namespace

TEST_CASE("the command engine keeps the contract of engines") {
  FakeRuntime runtime;
  CommandEngine engine(runtime.options);
  test::CheckEngineContract(engine, Block(), Net());
  CHECK(engine.Identity().at("engine") == "fake");
  CHECK(engine.Identity().at("engine_version") == "1.0");
}

TEST_CASE("a block's time is that of its file without the adapter in front of it; a network's is its own") {
  FakeRuntime runtime;
  runtime.cost[StrCat(kAdapterKey)] = 0.5;
  runtime.cost[StrCat(kAdapterKey, " ", kBlockKey)] = 2.5;
  runtime.cost[Join(Net().keys, " ")] = 7;
  CommandEngine engine(runtime.options);
  std::map<std::string, ItemResult> results;
  MeasuringHooks hooks;
  hooks.on_result = [&](const ItemResult& result) { results[result.id] = result; };
  ProtocolOptions protocol;
  const MeasuringReport report = MeasuringRun(engine, protocol, Net()).Measure({Block(), Net()}, {}, hooks);
  CHECK(report.done == 2);
  CHECK(results.at("block").median == Approx(2.0));
  CHECK(results.at("block").Has("isolated"));
  CHECK(results.at("net").median == Approx(7.0));
  CHECK(results.at("net").reference_ms == Approx(7.0));
  CHECK(results.at("net").n == 5);
}

TEST_CASE("what a command does wrong is told") {
  const auto message = [](const std::string& body) -> std::string {
    const FakeRuntime runtime(body);
    try {
      const CommandEngine engine(runtime.options);
    } catch (const Error& error) {
      CHECK(ExitCode(error.kind()) == 5);
      return error.what();
    }
    return "";
  };
  CHECK(message("echo 'no such op' >&2; exit 3\n").find("no such op") != std::string::npos);
  CHECK(message(kSamples).find("no hello") != std::string::npos);
  CHECK(message(kHello).find("0 samples") != std::string::npos);
  CHECK(message(std::string(kHello) + "echo '{\"type\":\"sample\",\"ms\":-1}'\n").find("above 0") != std::string::npos);
  CHECK_FALSE(message(std::string(kHello) + "echo 3.2 ms\n").empty());
  CHECK_THROWS_AS(CommandEngine(EngineOptions{}), Error);

  FakeRuntime hung(std::string(kHello) + "sleep 100\n");
  hung.options.agent.silence_seconds = -9.7;  // and the 10 s of a run
  CHECK_THROWS_AS(CommandEngine(hung.options), Error);
}

TEST_CASE("a file that the command fails on is that item's error, and the run goes on") {
  FakeRuntime runtime;
  runtime.options.command.make_model = [](const MeasureItem& item, const std::string& folder) -> std::string {
    const std::string path = folder + "/model.onnx";
    WriteFileAtomic(path, item.id == "bad" ? "\"slow\"" : "1");
    return path;
  };
  CommandEngine engine(runtime.options);
  MeasureItem bad = Net();
  bad.id = "bad";
  const MeasuringReport report = MeasuringRun(engine, {}, Net()).Measure({bad, Net()}, {}, {});
  CHECK(report.errors == 1);
  CHECK(report.done == 1);
}

TEST_CASE("the shipped script for benchmark_model reads its means") {
  if (FindProgram("python3").empty()) {
    WARN("skipped: python3 is not installed");
    return;
  }
  const TempDir dir;
  const std::string program = (dir.path() / "benchmark_model").string();
  WriteFileAtomic(
      program,
      "#!/bin/sh\necho 'Inference timings in us: Init: 3, First inference: 9, Warmup (avg): 1800.5, Inference (avg): "
      "1523.25' >&2\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  ::setenv("NAS_BENCHMARK_MODEL", program.c_str(), 1);
  EngineOptions options;
  options.command.program = std::string(NAS_SOURCE_DIR) + "/scripts/engines/benchmark_model_engine.py";
  options.command.make_model = [](const MeasureItem&, const std::string& folder) { return folder + "/model.onnx"; };
  CommandEngine engine(options);
  CHECK(engine.Identity().at("engine") == "tflite-benchmark");
  CHECK(engine.Prepare(Net(), {})->Run(2) == Approx(1.52325));
  ::unsetenv("NAS_BENCHMARK_MODEL");
}
