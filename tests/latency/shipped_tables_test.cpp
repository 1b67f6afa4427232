// SPDX-License-Identifier: Apache-2.0
// The tables that come with the program: what they may hold, and what they flag on the default space (latency.md §6).
#include <set>

#include "latency_data.h"
#include "nas/core/error.h"
#include "nas/latency/hull.h"
#include "nas/latency/latency_model.h"
#include "nas/latency/publish.h"

using namespace nas;
using namespace nas::testing;

namespace {

LatencyTable Shipped(const std::string& name) { return LoadTable(NAS_SOURCE_DIR "/latency_tables/" + name + ".json"); }

SearchSpace DefaultSpace() { return SearchSpace::Load("proxyless-mobile", {}, {NAS_SOURCE_DIR "/search_spaces"}); }

/// Edges, counted from 1, with a flagged candidate.
std::set<int> FlaggedEdges(const CostTable& costs) {
  std::set<int> edges;
  for (size_t e = 0; e < costs.extrapolated.size(); ++e) {
    for (bool flagged : costs.extrapolated[e]) {
      if (flagged) edges.insert(static_cast<int>(e) + 1);
    }
  }
  return edges;
}

bool FirstBlockFlagged(const LatencyModel& model, const SearchSpace& space) {
  for (const auto& key : LatencyKeys(space.base())) {
    if (key.rfind("mbconv:", 0) == 0) return model.PredictBlock(ParseBlockKey(key), space.resolution()).extrapolated;
  }
  return false;
}

}  // namespace

TEST_CASE("shipped tables hold no rows, and say what they are worth and where they come from") {
  const std::string name = GENERATE("note10-tflite-cpu", "pixel1-tflite-cpu", "pixel4-tflite-cpu",
                                    "titan-rtx-pytorch-b64", "v100-pytorch-b1");
  INFO(name);
  const LatencyTable table = Shipped(name);
  CHECK(table.name == name);
  CHECK(table.rows.empty());
  CHECK(table.nets.empty());
  REQUIRE(table.model.has_value());
  REQUIRE(table.certificate.has_value());
  CHECK_FALSE(table.certificate->splits.empty());
  CHECK_FALSE(table.provenance.source.empty());
  CHECK((table.provenance.licence == "MIT" || table.provenance.licence == "none stated"));
  CHECK(table.identity.threads == 0);
  const bool phone = !table.identity.is_gpu();
  CHECK((table.calibration->form == "none") == phone);
  CHECK(table.model->inferred() == !phone);
  if (phone) {
    REQUIRE(table.model->residual.has_value());
    CHECK(table.model->residual->centres.size() == 64);
  }
  CHECK(TableToText(table) == ReadFile(NAS_SOURCE_DIR "/latency_tables/" + name + ".json"));
}

TEST_CASE("what the phones' tables flag in the default space") {
  const SearchSpace space = DefaultSpace();
  const LatencyModel note10(Shipped("note10-tflite-cpu")), pixel1(Shipped("pixel1-tflite-cpu")),
      pixel4(Shipped("pixel4-tflite-cpu"));
  CHECK(FlaggedEdges(note10.Compile(space)) == std::set<int>{1, 21});
  CHECK(FirstBlockFlagged(note10, space));
  CHECK(pixel1.Compile(space).extrapolated.empty());
  CHECK_FALSE(FirstBlockFlagged(pixel1, space));
  CHECK(FlaggedEdges(pixel4.Compile(space)).size() == 21);  // relu
  CHECK(FirstBlockFlagged(pixel4, space));
  // By shape alone, as if the blocks had hswish: edges 9 to 21, and every kernel of 7.
  const std::vector<std::string> keys = LatencyKeys(space.Build(Choice(21, 0)));
  int edge = 0;
  for (const auto& text : keys) {
    if (text.empty()) continue;
    BlockKey key = ParseBlockKey(text);
    if (key.op != BlockOp::kMbconv) continue;
    key.act = BlockAct::kHSwish;
    const bool flagged = !JudgeExtrapolation(pixel4.table().model->hull, key, 0).reasons.empty();
    CHECK(flagged == (edge >= 9));  // edge 0 is the first block
    key.k = 7;
    CHECK_FALSE(JudgeExtrapolation(pixel4.table().model->hull, key, 0).reasons.empty());
    ++edge;
  }
  CHECK(edge == 22);
}

TEST_CASE("the Note10 table without its rows still sums to about the published latencies") {
  const std::string folder = LatencyData();
  if (folder.empty()) return;
  const LatencyModel model(Shipped("note10-tflite-cpu"));
  ImportOptions options;
  options.device = "note10";
  const ImportedData nets = ImportFile(folder + "/ofa_whole_nets.jsonl", "nets-jsonl", options);
  double error = 0;
  for (const auto& net : nets.nets) {
    std::vector<std::string> keys;
    for (const auto& key : net.keys) keys.push_back(ToString(key));
    error +=
        100 * std::abs(model.PredictKeys(keys, net.resolution).ms / net.ms - 1) / static_cast<double>(nets.nets.size());
  }
  INFO(error);
  CHECK(error <= 4.0);  // with its rows 3.0: half of the networks have widths that were not sampled
}

TEST_CASE("names of tables: no aliases, nothing that a file system or a flag would misread") {
  CHECK_NOTHROW(CheckTableName("board-2.big"));
  for (const char* bad : {"cpu", "mobile", "macs", "", "a b", "a/b", "x.json", "a=5ms"})
    CHECK_THROWS_AS(CheckTableName(bad), Error);
}
