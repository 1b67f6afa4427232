// SPDX-License-Identifier: Apache-2.0
// The protocol as the program speaks it, line by line.
#include <nlohmann/json.hpp>

#include "agent_fixture.h"
#include "nas/core/json.h"
#include "nas/core/line_process.h"
#include "nas/core/version.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

class Talk {
 public:
  explicit Talk(std::vector<std::string> more = {}) : process_(Words(std::move(more))) {}

  void Say(const std::string& line) { process_.Write(line); }
  void End() { process_.CloseInput(); }
  /// The next line, null at the end.
  Json Hear() {
    std::string line;
    const LineProcess::Status status = process_.Read(60, &line);
    if (status != LineProcess::Status::kLine) return nullptr;
    return Json::parse(line);
  }
  Json Open(const std::string& engine = "plain") {
    AgentOpen open;
    open.engine = engine;
    Say(ToText(open));
    return Hear();
  }

 private:
  static std::vector<std::string> Words(std::vector<std::string> more) {
    more.insert(more.begin(), test::AgentProgram());
    return more;
  }
  LineProcess process_;
};

}  // namespace

TEST_CASE("hello tells schema, version, engine and the machine") {
  Talk talk;
  const Json hello = talk.Open();
  CHECK(hello.at("type") == "hello");
  CHECK(hello.at("schema") == "nas.agent/1");
  CHECK(hello.at("version") == kVersion);
  CHECK(hello.at("hash").get<std::string>().size() == 16);
  CHECK(hello.at("identity").at("engine") == "plain");
  CHECK(hello.at("identity").at("threads") == 1);
  CHECK(hello.at("recorded").at("agent_hash") == hello.at("hash"));
  talk.Say(CloseText());
  CHECK(talk.Hear().at("type") == "bye");
  CHECK(talk.Hear().is_null());
}

TEST_CASE("a host of another schema, an unknown engine or too many threads are refused with the reason") {
  {
    Talk talk;
    talk.Say(R"({"type":"open","schema":"nas.agent/9","engine":"plain","core_mask":"","threads":1,"precision":"fp32",)"
             R"("batch":1,"seed":"0"})");
    const Json answer = talk.Hear();
    CHECK(answer.at("code") == "malformed");
    CHECK(answer.at("message").get<std::string>().find("nas.agent/9") != std::string::npos);
    CHECK(talk.Hear().is_null());
  }
  Talk talk;
  const Json answer = talk.Open("plian");
  CHECK(answer.at("code") == "unsupported");
  CHECK(answer.at("message").get<std::string>().find("did you mean \"plain\"") != std::string::npos);
}

TEST_CASE("malformed lines and impossible items are answered, and the run goes on") {
  Talk talk;
  talk.Open();
  for (const char* line :
       {"{", "[]", "{\"type\":\"teleport\"}", "{\"type\":\"run\",\"handle\":1}", "{\"type\":\"close\",\"more\":1}"}) {
    INFO(line);
    talk.Say(line);
    CHECK(talk.Hear().at("code") == "malformed");
  }
  talk.Say(RunText(5, 1));
  CHECK(talk.Hear().at("code") == "unsupported");
  MeasureItem item = test::SmallNet();
  item.keys[1] = "mbconv:9,8,9,8,16,3,1,1,0,relu6";  // does not follow
  talk.Say(PrepareText(1, item, {}));
  CHECK(talk.Hear().at("code") == "unsupported");
  talk.Say(PrepareText(1, test::SmallNet(), {}));
  CHECK(talk.Hear().at("type") == "prepared");
  talk.Say(RunText(1, 3));
  CHECK(talk.Hear().at("ms").get<double>() > 0);
}

TEST_CASE("a line of over 1 MiB is refused") {
  Talk talk;
  talk.Open();
  talk.Say(std::string((std::size_t{1} << 20) + 10, ' '));
  CHECK(talk.Hear().at("code") == "malformed");
}

TEST_CASE("a run of measurements: results, report, journal; the end of input ends the agent") {
  const TempDir dir;
  const std::string journal = (dir.path() / "journal.jsonl").string();
  Talk talk({"--journal", journal});
  talk.Open("simulated");
  const std::vector<MeasureItem> items = test::SmallNets(5);
  for (const std::string& line : ToTexts({ProtocolOptions{}, test::SmallNet("reference"), items, {items[2].id}})) {
    talk.Say(line);
  }
  std::set<std::string> results;
  for (Json line = talk.Hear(); line.at("type") != "report"; line = talk.Hear()) {
    if (line.at("type") == "result") results.insert(line.at("id").get<std::string>());
  }
  CHECK(results == std::set<std::string>{items[0].id, items[1].id, items[3].id, items[4].id});
  CHECK(Split(ReadFile(journal), '\n').size() >= 5);
  talk.End();
  CHECK(talk.Hear().at("type") == "bye");
  CHECK(talk.Hear().is_null());
}
