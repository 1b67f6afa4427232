// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/latency/latency_model.h"
#include "nas/latency/latency_table.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

constexpr const char* kExample = NAS_SOURCE_DIR "/tests/data/latency_table.json";

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string Refusal(const std::string& text) {
  try {
    TableFromText(text, "t.json");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInput);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("the example table is read, and its model predicts the reader test's values") {
  const LatencyTable table = LoadTable(kExample);
  CHECK(table.name == "example-board-big1");
  CHECK(table.id() == "afcb8a800c147987");
  REQUIRE(table.rows.size() == 1);
  CHECK(table.rows[0].stats.Value() == 1.70);
  REQUIRE(table.nets.size() == 1);
  CHECK(table.certificate->splits[0].baselines[1].second.mape == 3.9);
  const LatencyModel model(table, BlockSource::kModelOnly);
  const BlockKey a = ParseBlockKey("mbconv:56,24,28,40,144,5,2,0,0,relu6");
  const BlockKey b = ParseBlockKey("mbconv:14,112,14,112,672,7,1,1,1,hswish");
  CHECK(model.PredictBlock(a).ms == Approx(1.7147894670).epsilon(1e-9));
  CHECK(model.PredictBlock(b).ms == Approx(3.3718983002).epsilon(1e-9));
}

TEST_CASE("a measured row wins over the model by precision") {
  const LatencyModel model(LoadTable(kExample));
  const BlockPrediction a = model.PredictBlock(ParseBlockKey("mbconv:56,24,28,40,144,5,2,0,0,relu6"));
  CHECK(a.measured);
  const double var_m = (0.041 / 1.711) * (0.041 / 1.711) / 57 + 0.008 * 0.008;
  const double var_mod = 0.013 * 0.013;
  const double ln = (std::log(1.70) / var_m + std::log(1.7147894670) / var_mod) / (1 / var_m + 1 / var_mod);
  CHECK(a.ms == Approx(std::exp(ln)).epsilon(1e-9));
  CHECK(a.sigma == Approx(std::sqrt(1 / (1 / var_m + 1 / var_mod))));
}

TEST_CASE("write and read is identity, and writing again gives the same bytes") {
  const LatencyTable table = LoadTable(kExample);
  const std::string text = TableToText(table);
  const LatencyTable again = TableFromText(text, "again.json");
  CHECK(again == table);
  CHECK(TableToText(again) == text);
}

TEST_CASE("what does not belong in a table is refused with place and remedy") {
  using Catch::Matchers::Contains;
  const std::string text = ReadFile(kExample);
  CHECK_THAT(Refusal(Replaced(text, "\"unit\": \"ms\"", "\"unit\": \"us\"")), Contains("t.json:1") && Contains("unit"));
  CHECK_THAT(Refusal(Replaced(text, "\"provenance\"", "\"provenence\"")), Contains("proven"));
  CHECK_THAT(Refusal(Replaced(text, "\"vendor\": \"ExampleCo\"", "\"vendor\": \"Other\"")),
             Contains("afcb8a800c147987"));
  CHECK_THAT(Refusal(Replaced(text, "\"median\": 1.70", "\"median\": -1.70")), Contains("not above 0"));
  CHECK_THAT(Refusal(Replaced(text, "\"key\": \"mbconv:56,24,28", "\"key\": \"mbconv:56,24,29")),
             Contains("expected 28"));
  CHECK_THAT(Refusal(Replaced(text, "\"flags\": []", "\"flags\": [\"shaky\"]")), Contains("shaky"));
  CHECK_THAT(Refusal(Replaced(text, "\"w\": [0.012, ", "\"w\": [")), Contains("14 numbers instead of 15"));
  CHECK_THAT(Refusal(Replaced(text, "\"w\": [0.012, ", "\"w\": [-0.012, ")), Contains("below 0"));
  CHECK_THAT(Refusal(Replaced(text, "\"alpha\": [0.06, -0.04]", "\"alpha\": [0.06]")),
             Contains("1 numbers instead of 2"));
  CHECK_THAT(Refusal(text.substr(0, text.size() / 2)), Contains("t.json:"));
}
