// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <nlohmann/json.hpp>

#include "core/expect_error.h"
#include "nas/core/files.h"
#include "nas/core/json.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

std::string ParseError(const std::string& text) {
  return testing::MessageOf(ErrorKind::kInput, [&] { JsonDocument::Parse(text, "f.json"); });
}

/// Writes random JSON with random blanks and comments and remembers where each value and key begins.
class RandomJson {
 public:
  explicit RandomJson(std::uint64_t seed) : rng_(seed) {
    Filler();
    Value("", 4);
    Filler();
  }

  std::string text;
  std::map<std::string, std::string> values;  // pointer → line:column
  std::map<std::string, std::string> keys;

 private:
  void Put(const std::string& piece) {
    for (char c : piece) {
      text += c;
      if (c == '\n') {
        ++line_;
        column_ = 1;
      } else if ((c & 0xC0) != 0x80) {
        ++column_;
      }
    }
  }
  std::string Here() const { return StrCat(line_, ':', column_); }
  void Filler() {
    static const std::vector<std::string> kPieces = {"",     " ", "\n", "\t", "\r\n", "// {\"é\n", "/* ] , \" */",
                                                     "/**/", "  "};
    for (auto n = rng_.Below(3); n > 0; --n) Put(kPieces[rng_.Below(kPieces.size())]);
  }
  void Scalar() {
    static const std::vector<std::string> kScalars = {"null",
                                                      "true",
                                                      "false",
                                                      "0",
                                                      "-12",
                                                      "1.5e3",
                                                      "\"\"",
                                                      "\"a\\\"]\"",
                                                      "\"\\\\\"",
                                                      "\"é:{,\"",
                                                      "18446744073709551615"};
    Put(kScalars[rng_.Below(kScalars.size())]);
  }
  void Value(const std::string& pointer, std::uint64_t depth) {
    values[pointer] = Here();
    if (keys.count(pointer) == 0) keys[pointer] = Here();
    const auto kind = depth == 0 ? 0 : rng_.Below(3);
    if (kind == 0) return Scalar();
    Put(kind == 1 ? "[" : "{");
    const auto n = rng_.Below(4);
    for (std::uint64_t i = 0; i < n; ++i) {
      if (i > 0) Put(",");
      Filler();
      std::string child = StrCat(pointer, '/', i);
      if (kind == 2) {
        static const std::vector<std::string> kNames = {"a", "b/c", "d~\\\"", "é"};
        static const std::vector<std::string> kEscaped = {"a", "b~1c", "d~0\"", "é"};
        child = StrCat(pointer, '/', kEscaped[i]);
        keys[child] = Here();
        Put(StrCat('"', kNames[i], '"'));
        Filler();
        Put(":");
        Filler();
      }
      Value(child, depth - 1);
      Filler();
    }
    if (n == 0) Filler();
    Put(kind == 1 ? "]" : "}");
  }

  CounterRng rng_;
  int line_ = 1;
  int column_ = 1;
};

TEST_CASE("every value and key of random documents is found where it stands") {
  std::size_t checked = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const RandomJson random(seed);
    INFO(random.text);
    const JsonDocument document = JsonDocument::Parse(random.text, "f");
    REQUIRE(document.root() == Json::parse(random.text, nullptr, true, /*ignore_comments=*/true));
    for (const auto& [pointer, place] : random.values) {
      const std::string path = pointer.empty() ? "" : StrCat(" (", pointer, ')');
      REQUIRE(document.Where(pointer) == StrCat("f:", place, path));
      REQUIRE(document.WhereKey(pointer) == StrCat("f:", random.keys.at(pointer), path));
      ++checked;
    }
  }
  CHECK(checked > 1000);
}

TEST_CASE("the order of keys is kept") {
  const JsonDocument document = JsonDocument::Parse(R"({"z": 1, "a": 2, "m": 3})", "f");
  CHECK(document.root().dump() == R"({"z":1,"a":2,"m":3})");
  CHECK(document.source() == "f");
}

TEST_CASE("a place that does not exist is told by what is around it") {
  const JsonDocument document = JsonDocument::Parse("{\n  \"a\": {\"b\": 1}}", "f");
  CHECK(document.Where("/a/x/y") == "f:2:8 (/a/x/y)");
  CHECK(document.WhereKey("/a/x/y") == "f:2:3 (/a/x/y)");
  CHECK(document.Where("/z") == "f:1:1 (/z)");
}

TEST_CASE("a byte-order mark is passed over") {
  const JsonDocument document = JsonDocument::Parse("\xEF\xBB\xBF{\"a\": 1}", "f");
  CHECK(document.root().at("a") == 1);
  CHECK(document.Where("/a") == "f:1:8 (/a)");
}

TEST_CASE("syntax errors name line and column") {
  CHECK(ParseError("{\n  \"a\": 1,\n  \"b\" 2\n}").find("f.json:3:7: not valid JSON: ") == 0);
  CHECK(ParseError("[1, 2] 3").find("f.json:1:8: ") == 0);
  CHECK(ParseError("").find("f.json:1:1: ") == 0);
  CHECK(ParseError("").find("the file is cut off") != std::string::npos);
  CHECK(ParseError("[NaN]").find("f.json:1:2: ") == 0);
  CHECK(ParseError("[Infinity]").find("f.json:1:2: ") == 0);
  CHECK(ParseError("[1, 1e999]").find("f.json:1:") == 0);
  CHECK(ParseError("[1, 1e999]").find("1e999") != std::string::npos);
  CHECK(ParseError("[\"\xff\"]").find("f.json:1:") == 0);
  CHECK(ParseError("/* open").find("f.json:1:") == 0);
  CHECK(ParseError("[1,]").find("f.json:1:4: ") == 0);
  CHECK(ParseError("{\"a\": 1e999}").find("json.exception") == std::string::npos);
}

TEST_CASE("a key that comes twice is refused") {
  CHECK(ParseError("{\"a\": 1,\n \"b\": {\"c\": 1, \"c\": 2}}") ==
        "f.json:2:16 (/b/c): the key \"c\" comes twice; remove one of them");
  CHECK(ParseError(R"({"a": 1, "\u0061": 2})").find("comes twice") != std::string::npos);
  JsonDocument::Parse(R"([{"a": 1}, {"a": 2}, {"b": {"a": 1}, "a": 3}])", "f");
}

TEST_CASE("nesting has an end") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  JsonDocument::Parse(nested(200), "f");
  CHECK(ParseError(nested(201)) == "f.json:1:201: nested deeper than 200 levels; flatten it");
  CHECK(ParseError(std::string(1'000'000, '[')).find("deeper than 200") != std::string::npos);
}

TEST_CASE("a document that is cut off anywhere is refused with a place") {
  const std::string text = "{\"a\": [1, \"x\\u00e9\", {\"b\": null}], // c\n \"d\": -1.5e3}";
  JsonDocument::Parse(text, "f.json");
  for (std::size_t length = 0; length < text.size(); ++length) {
    INFO(length);
    CHECK(ParseError(text.substr(0, length)).find("f.json:") == 0);
  }
}

TEST_CASE("damaged documents are parsed or refused, never anything else") {
  CounterRng rng(7);
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    std::string text = RandomJson(seed).text;
    for (auto n = 1 + rng.Below(3); n > 0 && !text.empty(); --n) {
      text[rng.Below(text.size())] = static_cast<char>(rng.Below(256));
    }
    try {
      const JsonDocument document = JsonDocument::Parse(text, "f.json");
      document.Where("/a/b");
    } catch (const Error& error) {
      ++refused;
      REQUIRE(error.kind() == ErrorKind::kInput);
      REQUIRE(StartsWith(error.what(), "f.json:"));
    }
  }
  CHECK(refused > 300);
}

TEST_CASE("Load names the file") {
  const TempDir folder;
  const std::string path = (folder.path() / "x.json").string();
  WriteFileAtomic(path, "{");
  CHECK(testing::MessageOf(ErrorKind::kInput, [&] { JsonDocument::Load(path); }).find(path + ":1:") == 0);
  CHECK(testing::MessageOf(ErrorKind::kInput, [&] { JsonDocument::Load(path + "x"); }).find("cannot read ") == 0);
}

}  // namespace
}  // namespace nas
