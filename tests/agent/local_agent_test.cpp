// SPDX-License-Identifier: Apache-2.0
// The host's side, with the agent as a program of this machine.
#include <nlohmann/json.hpp>

#include "../device/engine_contract.h"
#include "agent/backend.h"
#include "agent_fixture.h"
#include "nas/core/version.h"
#include "nas/device/affinity.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

bool HasXnnpack() { return agent::AllBackends().size() > 1; }

std::unique_ptr<Engine> Open(const std::string& engine, const EngineOptions& options = test::LocalOptions()) {
  return FindEngine(BuiltinEngines(), engine).make(options);
}

// The message of the kUnavailable error that opening or measuring has to end in.
template <typename Call>
std::string Unavailable(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(ExitCode(error.kind()) == 5);
    return error.what();
  }
  FAIL("no error came");
  return "";
}

// An agent that is not ours: says some lines whatever it hears.
EngineOptions FakeAgent(const TempDir& dir, const std::string& body) {
  EngineOptions options = test::LocalOptions();
  options.agent.program = test::WriteScript(dir.path() / "nas-agent", "#!/bin/sh\n" + body);
  return options;
}

std::string HelloOfVersion(const std::string& schema, const std::string& version) {
  return "read open\necho '{\"type\":\"hello\",\"schema\":\"" + schema + "\",\"version\":\"" + version +
         "\",\"hash\":\"\",\"identity\":{\"engine\":\"plain\"},\"recorded\":{},\"cache_bytes\":0,\"temperature\":-1,"
         "\"megahertz\":0}'\n";
}

}  // namespace

TEST_CASE("the engines of a local agent keep the contract of engines") {
  test::CheckEngineContract(*Open("plain"), test::SmallBlock(), test::SmallNet());
  if (HasXnnpack()) {
    test::CheckEngineContract(*Open("xnnpack"), test::SmallBlock(), test::SmallNet());
  } else {
    WARN("nas-agent was built without XNNPACK (libxnnpack-dev): its contract is not tested");
  }
}

TEST_CASE("the identity names engine, version, threads, batch and cores") {
  EngineOptions options = test::LocalOptions();
  options.batch = 3;
  options.cores = ToString(CoreMask{1} << CoreIndices(AllowedCores()).front());
  const Json identity = Open("plain", options)->Identity();
  CHECK(identity.at("engine") == "plain");
  CHECK(identity.at("engine_version") == kVersion);
  CHECK(identity.at("batch") == 3);
  CHECK(identity.at("core_mask") == options.cores);
  CHECK(identity.at("engine_build").get<std::string>().find(StrCat("nas ", kVersion)) != std::string::npos);
  options.threads = 2;
  CHECK_THROWS_AS(Open("plain", options), Error);  // plain loops have one thread
  options.threads = 1;
  options.device = "cuda";
  CHECK_THROWS_AS(Open("plain", options), Error);
}

TEST_CASE("an agent measures blocks and networks by the protocol; bad items give an error of their own") {
  const auto engine = Open(HasXnnpack() ? "xnnpack" : "plain");
  std::vector<MeasureItem> items{test::SmallNet(), test::SmallBlock()};
  items.push_back(test::SmallNet("impossible"));
  items.back().keys[1] = "mbconv:9,8,9,8,16,3,1,1,0,relu6";
  const test::Outcome outcome = test::MeasureAll(*engine, items);
  REQUIRE(outcome.results.size() == 3);
  CHECK(outcome.results.at(items[0].id).median > 0);
  CHECK(outcome.results.at(items[1].id).median > 0);
  CHECK_FALSE(outcome.results.at(items[2].id).error.empty());
  CHECK(outcome.report.done == 2);
  CHECK(outcome.report.errors == 1);
}

TEST_CASE("items that are done are not measured again, and asking to stop stops") {
  const auto engine = Open("plain");
  const std::vector<MeasureItem> items = test::SmallNets(6);
  CHECK(test::MeasureAll(*engine, items, {items[1].id, items[4].id}).results.size() == 4);
  int results = 0;
  MeasuringHooks hooks;
  hooks.on_result = [&](const ItemResult&) { ++results; };
  hooks.stop = [&] { return true; };
  const auto fresh = Open("plain");
  const MeasuringReport report =
      MeasuringRun(*fresh, test::ShortProtocol(), test::SmallNet("reference")).Measure(items, {}, hooks);
  CHECK(report.stopped);
  CHECK(results < 6);
}

TEST_CASE("an agent of another version or schema is refused by name") {
  const TempDir dir;
  for (const auto& [schema, version] :
       {std::pair<std::string, std::string>{"nas.agent/1", "9.9.9"}, {"nas.agent/7", "8.0"}}) {
    const EngineOptions options = FakeAgent(dir, HelloOfVersion(schema, version) + "cat > /dev/null\n");
    const std::string message = Unavailable([&] { Open("plain", options); });
    CHECK(message.find(version) != std::string::npos);
    CHECK(message.find(schema) != std::string::npos);
    CHECK(message.find(kVersion) != std::string::npos);
  }
}

TEST_CASE("a device that hangs is ended after its time; one that babbles is refused with what it said") {
  const TempDir dir;
  EngineOptions options = FakeAgent(dir, "sleep 1000\n");
  options.agent.silence_seconds = 0.3;
  CHECK(Unavailable([&] { Open("plain", options); }).find("said nothing") != std::string::npos);

  options = FakeAgent(dir, HelloOfVersion("nas.agent/1", kVersion) + "sleep 1000\n");
  options.agent.silence_seconds = 0.3;
  const auto engine = Open("plain", options);
  CHECK(Unavailable([&] { test::MeasureAll(*engine, test::SmallNets(2)); }).find("said nothing") != std::string::npos);

  options = FakeAgent(dir, "echo 'CANNOT LINK EXECUTABLE'\nsleep 1000\n");
  CHECK(Unavailable([&] { Open("plain", options); }).find("CANNOT LINK EXECUTABLE") != std::string::npos);
  options = FakeAgent(dir, "echo 'no such library' >&2\nexit 127\n");
  CHECK(Unavailable([&] { Open("plain", options); }).find("no such library") != std::string::npos);
  options.agent.program = "/nonexistent/nas-agent";
  CHECK(Unavailable([&] { Open("plain", options); }).find("scripts/setup") != std::string::npos);
}

TEST_CASE("an agent that dies in the middle is started again and goes on with what is left") {
  const TempDir dir;
  // The first process dies after three results, the second lives.
  const std::string flag = (dir.path() / "died").string();
  const EngineOptions options = FakeAgent(dir, "if [ -e " + flag + " ]; then exec " + test::AgentProgram() +
                                                   "; fi\ntouch " + flag + "\n" + test::DiesAfter(3));
  const auto engine = Open("plain", options);
  std::vector<std::string> order;
  MeasuringHooks hooks;
  hooks.on_result = [&](const ItemResult& result) { order.push_back(result.id); };
  const std::vector<MeasureItem> items = test::SmallNets(8);
  const MeasuringReport report =
      MeasuringRun(*engine, test::ShortProtocol(), test::SmallNet("reference")).Measure(items, {}, hooks);
  CHECK(std::set<std::string>(order.begin(), order.end()).size() == 8);
  CHECK(order.size() == 8);  // none twice
  CHECK(report.done == 8);
}

TEST_CASE("an agent that dies again and again ends in exit code 5 and the way to go on") {
  const TempDir dir;
  const EngineOptions options = FakeAgent(dir, test::DiesAfter(1));
  const auto engine = Open("plain", options);
  std::set<std::string> done;
  MeasuringHooks hooks;
  hooks.on_result = [&](const ItemResult& result) { done.insert(result.id); };
  const std::vector<MeasureItem> items = test::SmallNets(8);
  const std::string message = Unavailable(
      [&] { MeasuringRun(*engine, test::ShortProtocol(), test::SmallNet("reference")).Measure(items, {}, hooks); });
  CHECK(message.find("--resume") != std::string::npos);
  CHECK(done.size() == 4);  // one of the first try, one of each of three more
  // Resumed with what was kept.
  CHECK(test::MeasureAll(*Open("plain"), items, done).results.size() == 4);
}
