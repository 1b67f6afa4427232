// SPDX-License-Identifier: Apache-2.0
// Accuracy goals on real tables (latency.md §13). Each prints its figure: `latency_tests [goals] -s`.
#include "latency_data.h"
#include "nas/latency/latency_model.h"

using namespace nas;
using namespace nas::testing;

namespace {

/// Asserts the goal and keeps the figure in the log.
void CheckGoal(const std::string& what, double figure, double goal) {
  INFO(what << ": " << figure << " %, goal " << goal << " %");
  CHECK(figure <= goal);
}

}  // namespace

TEST_CASE("Note10 blocks, inside and outside the sampled grid", "[goals]") {
  const std::string folder = LatencyData();
  if (folder.empty()) return;
  const EvalData data = EvalDataFromImport(ImportFile(folder + "/note10_blocks.csv", "csv"), CpuIdentity());
  CheckGoal("random:100", MeanMape(data, "random:100"), 2.0);
  CheckGoal("without 224 px", RunSplit(data, "leave:source=*r224").report.mape, 2.0);
  for (const char* resolution : {"160", "176", "192", "208"}) {
    CheckGoal(resolution, RunSplit(data, std::string("leave:source=*r") + resolution).report.mape, 2.5);
  }
  for (const char* split : {"leave:kernel=7", "leave:c_in>=136"}) {
    const Evaluation outside = RunSplit(data, split);
    INFO(split << " MAPE " << outside.report.mape << " coverage " << *outside.report.coverage_95);
    CHECK(*outside.report.extrapolated_share == 1.0);
    CHECK(*outside.report.coverage_95 >= 0.8);
  }
}

TEST_CASE("Pixel 4 and Pixel 1 blocks", "[goals]") {
  const std::string folder = LatencyData();
  if (folder.empty()) return;
  const EvalData pixel4 = EvalDataFromImport(ImportFile(folder + "/pixel4_blocks.csv", "csv"), CpuIdentity());
  CheckGoal("Pixel 4 random:100", MeanMape(pixel4, "random:100"), 3.8);
  CheckGoal("Pixel 4 random:200", MeanMape(pixel4, "random:200"), 3.2);
  const EvalData pixel1 = EvalDataFromImport(ImportFile(folder + "/pixel1_blocks.csv", "csv"), CpuIdentity());
  CheckGoal("Pixel 1 random:50", MeanMape(pixel1, "random:50"), 5.5);
}

TEST_CASE("whole networks on two GPUs", "[goals]") {
  const std::string folder = LatencyData();
  if (folder.empty()) return;
  const EvalData titan = EvalDataFromImport(GpuNets(folder, "titan_rtx_batch64_ms", 64), GpuIdentity(64));
  const SplitReport t = RunSplit(titan, "nets:50").report;
  CheckGoal("Titan RTX", t.mape, 1.5);
  CHECK(t.n == 950);
  CHECK(*t.spearman >= 0.995);
  CHECK(t.mape <= 0.6 * t.baselines[0].second.mape);
  const EvalData v100 = EvalDataFromImport(GpuNets(folder, "v100_batch1_ms", 1), GpuIdentity(1));
  const SplitReport v = RunSplit(v100, "nets:50").report;
  CheckGoal("V100", v.mape, 5.0);
  INFO(*v.spearman);
  CHECK(*v.spearman >= 0.85);
}

TEST_CASE("the published Note10 networks sum to what was reported", "[goals]") {
  const std::string folder = LatencyData();
  if (folder.empty()) return;
  const LatencyTable table = TableOf(ImportFile(folder + "/note10_blocks.csv", "csv"), "note10");
  const LatencyModel model(table);
  ImportOptions options;
  options.device = "note10";
  const ImportedData nets = ImportFile(folder + "/ofa_whole_nets.jsonl", "nets-jsonl", options);
  REQUIRE(nets.nets.size() == 8);
  double error = 0;
  for (const auto& net : nets.nets) {
    std::vector<std::string> keys;
    for (const auto& key : net.keys) keys.push_back(ToString(key));
    const NetworkPrediction p = model.PredictKeys(keys, net.resolution);
    CHECK_FALSE(p.calibrated);
    error += 100 * std::abs(p.ms / net.ms - 1) / 8;
  }
  CheckGoal("raw sum", error, 3.0);
}

TEST_CASE("the 224 px rows of the published 30 ms network sum to 29.965", "[goals]") {
  const std::string folder = LatencyData();
  if (folder.empty()) return;
  const LatencyTable table = TableOf(ImportFile(folder + "/note10_ofa_lut_224.yaml", "ofa-yaml"), "note10-224");
  const LatencyModel model(table, BlockSource::kMeasuredOnly);
  ImportOptions options;
  options.device = "note10";
  for (const auto& net : ImportFile(folder + "/ofa_whole_nets.jsonl", "nets-jsonl", options).nets) {
    if (net.ms != 30) continue;
    std::vector<std::string> keys;
    for (const auto& key : net.keys) keys.push_back(ToString(key));
    CHECK(model.PredictKeys(keys, net.resolution).sum == Approx(29.965).epsilon(2e-5));
  }
}
