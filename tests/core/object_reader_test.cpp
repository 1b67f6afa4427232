// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/expect_error.h"
#include "nas/core/json.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

JsonDocument Space() {
  return JsonDocument::Parse(R"({
  "name": "tiny",
  "lr": 0.025,
  "batch": 128,
  "whole": 3.0,
  "half": 0.5,
  "on": true,
  "none": null,
  "act": "relu6",
  "widths": [16, 24.0, 32],
  "rates": [1, 0.5],
  "names": ["a", "b"],
  "big": 18446744073709551615,
  "stages": [
    {"kernel": 3,
     "kernal": 5},
    7
  ],
  "head": {"width": 64}
})",
                             "space.json");
}

template <typename Action>
std::string InputError(const Action& action) {
  return testing::MessageOf(ErrorKind::kInput, action);
}

TEST_CASE("values are read by type") {
  ObjectReader reader(Space());
  CHECK(reader.String("name") == "tiny");
  CHECK(reader.Number("lr") == 0.025);
  CHECK(reader.Number("batch") == 128);
  CHECK(reader.Int("batch", 1, 1000) == 128);
  CHECK(reader.Int("whole", 1, 1000) == 3);
  CHECK(reader.Bool("on"));
  CHECK(reader.Choice("act", {"relu", "relu6"}) == "relu6");
  CHECK(reader.Ints("widths") == std::vector<std::int64_t>{16, 24, 32});
  CHECK(reader.Numbers("rates") == std::vector<double>{1, 0.5});
  CHECK(reader.Strings("names") == std::vector<std::string>{"a", "b"});
  CHECK(reader.Raw("none").is_null());
  CHECK(reader.Object("head").Int("width", 1, 100) == 64);
  CHECK(reader.Keys().front() == "name");
  CHECK(reader.Keys().size() == 14);
}

TEST_CASE("fallbacks stand in for absent and null") {
  ObjectReader reader(Space());
  CHECK_FALSE(reader.Has("absent"));
  CHECK_FALSE(reader.Has("none"));
  CHECK(reader.IsNull("none"));
  CHECK_FALSE(reader.IsNull("absent"));
  CHECK(reader.String("absent", "x") == "x");
  CHECK(reader.Number("none", 1.5) == 1.5);
  CHECK(reader.Int("absent", 0, 9, 4) == 4);
  CHECK(reader.Bool("absent", true));
  CHECK(reader.Number("lr", 1.5) == 0.025);
}

TEST_CASE("wrong types name place, path and value") {
  ObjectReader reader(Space());
  CHECK(InputError([&] { reader.Number("name"); }) == "space.json:2:11 (/name): expected a number, found \"tiny\"");
  CHECK(InputError([&] { reader.String("lr"); }) == "space.json:3:9 (/lr): expected a string, found 0.025");
  CHECK(InputError([&] { reader.Bool("batch"); }) == "space.json:4:12 (/batch): expected true or false, found 128");
  CHECK(InputError([&] { reader.Int("half", 1, 9); }) ==
        "space.json:6:11 (/half): expected a whole number from 1 to 9, found 0.5");
  CHECK(InputError([&] { reader.Int("batch", 1, 9); }) ==
        "space.json:4:12 (/batch): 128 is out of range; write a whole number from 1 to 9");
  const auto most = std::numeric_limits<std::int64_t>::max();
  CHECK(InputError([&] { reader.Int("batch", 200, most); }) ==
        "space.json:4:12 (/batch): 128 is out of range; write a whole number of at least 200");
  CHECK(InputError([&] { reader.Int("big", 0, most); }).find("18446744073709551615") != std::string::npos);
  CHECK(InputError([&] { reader.Object("name"); }) == "space.json:2:11 (/name): expected an object, found \"tiny\"");
  CHECK(InputError([&] { reader.Numbers("head"); }) ==
        "space.json:19:11 (/head): expected an array of numbers, found an object");
  CHECK(InputError([&] { reader.Ints("rates"); }) == "space.json:11:16 (/rates/1): expected a whole number, found 0.5");
  CHECK(InputError([&] { reader.Strings("rates"); }) == "space.json:11:13 (/rates/0): expected a string, found 1");
  CHECK(InputError([&] { reader.Objects("stages"); }) == "space.json:17:5 (/stages/1): expected an object, found 7");
  CHECK(InputError([&] { ObjectReader(JsonDocument::Parse("[1]", "f")); }) ==
        "f:1:1: expected an object, found an array");
}

TEST_CASE("choices are named") {
  ObjectReader reader(Space());
  CHECK(InputError([&] {
          reader.Choice("act", {"relu", "swish"});
        }) == "space.json:9:10 (/act): unknown value \"relu6\"; known: relu, swish; did you mean \"relu\"?");
  CHECK(InputError([&] { reader.Choice("act", {"swish"}); }) ==
        "space.json:9:10 (/act): unknown value \"relu6\"; known: swish");
  CHECK(InputError([&] {
          reader.Choice("on", {"a", "b"});
        }) == "space.json:7:9 (/on): expected one of a, b; found true");
}

TEST_CASE("missing keys are told at their object, or at the misspelt key") {
  ObjectReader reader(Space());
  CHECK(InputError([&] { reader.Object("head").Number("dropout"); }) ==
        "space.json:19:11 (/head): the key \"dropout\" is missing; add it with a number");
  CHECK(InputError([&] { reader.Number("batches"); }) ==
        "space.json:4:3 (/batch): found \"batch\" but no \"batches\"; did you mean \"batches\"?");
  reader.Number("batch");
  CHECK(InputError([&] { reader.Number("batches"); }).find("is missing") != std::string::npos);  // "batch" has its use
}

TEST_CASE("keys that nobody asked for are refused with the nearest known name") {
  ObjectReader stage(Space(), "/stages/0");
  CHECK(stage.Int("kernel", 1, 9) == 3);
  CHECK(InputError([&] { stage.Finish(); }) ==
        "space.json:16:6 (/stages/0/kernal): unknown key \"kernal\"; did you mean \"kernel\"?");
  stage.Ignore("kernal");
  stage.Finish();
  ObjectReader head(Space(), "/head");
  CHECK_FALSE(head.Has("bias"));
  CHECK(InputError([&] { head.Finish(); }) == "space.json:19:12 (/head/width): unknown key \"width\"; known: bias");
  CHECK(head.Has("width"));
  head.Finish();
}

TEST_CASE("semantic faults are told at their key or at the object") {
  const ObjectReader head(Space(), "/head");
  CHECK(InputError([&] { head.Fail("width", "64 is odd"); }) == "space.json:19:21 (/head/width): 64 is odd");
  CHECK(InputError([&] { head.Fail("", "too small"); }) == "space.json:19:11 (/head): too small");
}

TEST_CASE("long and foreign values are shown shortened, never cut within a character") {
  std::string text = "{\"a\": \"";
  for (int i = 0; i < 60; ++i) text += "é";
  text += "\"}";
  const std::string message = InputError([&] { ObjectReader(JsonDocument::Parse(text, "f")).Number("a"); });
  CHECK(message.size() < 120);
  CHECK(message.substr(message.size() - 5) == "é…");
}

TEST_CASE("readers outlive the document they were made from") {
  std::vector<ObjectReader> readers =
      ObjectReader(JsonDocument::Parse(R"({"a": [{"b": 1}, {"b": 2}]})", "f")).Objects("a");
  REQUIRE(readers.size() == 2);
  CHECK(readers[1].Int("b", 0, 9) == 2);
}

}  // namespace
}  // namespace nas
