// SPDX-License-Identifier: Apache-2.0
#include "nas/device/agent_protocol.h"

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/json.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

MeasureItem Item(const std::string& id) {
  MeasureItem item;
  item.id = id;
  item.kind = MeasureItem::Kind::kBlock;
  item.keys = {"conv:32,3,32,16,0,0,0,0,0,-", "mbconv:32,16,32,24,48,3,1,0,0,relu6"};
  item.timed = 1;
  item.resolution = 32;
  return item;
}

ItemResult Result() {
  ItemResult result;
  result.id = "net a";
  result.n = 20;
  result.min = 1;
  result.p10 = 1.1;
  result.p25 = 1.2;
  result.median = 1.3;
  result.p75 = 1.4;
  result.p90 = 1.5;
  result.p99 = 1.6;
  result.mean = 1.31;
  result.std = 0.1;
  result.mad = 0.05;
  result.ci = {1.25, 1.35};
  result.flags = {"retimed"};
  return result;
}

std::string ResultText(const std::string& key, const Json& value) {
  AgentLine line;
  line.type = AgentLine::Type::kResult;
  line.result = Result();
  Json json = Json::parse(ToText(line));
  json[key] = value;
  return json.dump();
}

template <typename Call>
std::string Refusal(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInput);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a measuring run comes over the line as it was") {
  AgentMeasure measure;
  measure.protocol.max_seconds = 0.123456789;
  measure.protocol.order_seed = ~std::uint64_t{0};
  measure.protocol.rotate_bytes = std::int64_t{1} << 40;
  measure.protocol.chain = false;
  measure.protocol.max_pauses = 7;
  measure.reference = Item("reference");
  measure.items = {Item("one"), Item("two")};
  measure.done = {"one"};
  const std::vector<std::string> lines = ToTexts(measure);
  REQUIRE(lines.size() == 3);
  const HostLine first = ParseHostLine(lines[0]);
  CHECK(first.type == HostLine::Type::kMeasure);
  CHECK(first.items == 2);
  CHECK(first.measure.protocol.max_seconds == 0.123456789);
  CHECK(first.measure.protocol.order_seed == ~std::uint64_t{0});
  CHECK(first.measure.protocol.rotate_bytes == std::int64_t{1} << 40);
  CHECK_FALSE(first.measure.protocol.chain);
  CHECK(first.measure.protocol.max_pauses == 7);
  CHECK(first.measure.reference.keys == measure.reference.keys);
  CHECK(first.measure.done == measure.done);
  CHECK(ParseHostLine(lines[2]).item.id == "two");
  CHECK(ParseHostLine(lines[2]).item.timed == 1);
}

TEST_CASE("every line of the agent is read as it was written") {
  for (const AgentLine::Type type :
       {AgentLine::Type::kHello, AgentLine::Type::kProgress, AgentLine::Type::kResult, AgentLine::Type::kReport,
        AgentLine::Type::kPrepared, AgentLine::Type::kRan, AgentLine::Type::kError, AgentLine::Type::kBye}) {
    AgentLine line;
    line.type = type;
    line.schema = kAgentSchema;
    line.version = "1.2.3";
    line.identity = R"({"engine":"plain"})";
    line.recorded = "{}";
    line.result = Result();
    line.report.too_noisy = "3 of 4 items are unstable";
    line.report.reference_drift = -0.5;
    line.ms = 2;
    line.code = "memory";
    line.message = "a \"quoted\" line\nand another";
    const std::string text = ToText(line);
    CHECK(text.find('\n') == std::string::npos);
    const AgentLine read = ParseAgentLine(text);
    CHECK(read.type == type);
    CHECK(ToText(read) == text);
  }
}

TEST_CASE("numbers that are no times are refused, naming the item") {
  CHECK(Refusal([] { ParseAgentLine(ResultText("median", 1.3)); }).empty());
  for (const auto& [key, value] : std::vector<std::pair<std::string, Json>>{
           {"min", 0}, {"p99", -1}, {"mean", 0}, {"std", -0.1}, {"ci", {-1, 2}}, {"min", 1.35}, {"p99", 1.2}}) {
    INFO(key << " " << value.dump());
    CHECK(Refusal([&] { ParseAgentLine(ResultText(key, value)); }).find("net a") != std::string::npos);
  }
  for (const auto& [key, value] : std::vector<std::pair<std::string, Json>>{
           {"median", 0}, {"median", "fast"}, {"n", 0}, {"n", 1.5}, {"ci", {1}}, {"extra", 1}, {"flags", "unstable"}}) {
    INFO(key << " " << value.dump());
    CHECK_FALSE(Refusal([&] { ParseAgentLine(ResultText(key, value)); }).empty());
  }
  CHECK_FALSE(Refusal([] { ParseAgentLine(R"({"type":"ran","ms":0})"); }).empty());
}

TEST_CASE("text that is not the protocol is refused") {
  for (const char* text : {"", "{", "null", "[1]", "\"hello\"", "{}", R"({"type":1})", R"({"type":"open"})",
                           R"({"type":"hello","schema":"nas.agent/1"})", R"({"type":"bye","more":1})",
                           R"({"type":"error","id":"","code":"tired","message":""})", "CANNOT LINK EXECUTABLE"}) {
    INFO(text);
    CHECK_FALSE(Refusal([&] { ParseAgentLine(text); }).empty());
  }
  for (const char* text : {"{}", R"({"type":"hello"})", R"({"type":"run","handle":1,"calls":0})",
                           R"({"type":"run","handle":-1,"calls":1})",
                           R"({"type":"item","id":"a","kind":"block","keys":[],"timed":0,"resolution":8})",
                           R"({"type":"item","id":"a","kind":"block","keys":["x"],"timed":1,"resolution":8})",
                           R"({"type":"item","id":"a","kind":"chip","keys":["x"],"timed":0,"resolution":8})"}) {
    INFO(text);
    CHECK_FALSE(Refusal([&] { ParseHostLine(text); }).empty());
  }
}

TEST_CASE("a hello of another schema is read as far as the version, whatever else it holds") {
  const AgentLine hello = ParseAgentLine(R"({"type":"hello","schema":"nas.agent/9","version":"7.0","shape":[1,2]})");
  CHECK(hello.schema == "nas.agent/9");
  CHECK(hello.version == "7.0");
}
