// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/fit.h"

#include <algorithm>
#include <cmath>

#include "latency_data.h"
#include "nas/core/error.h"
#include "nas/latency/features.h"
#include "nas/latency/latency_model.h"

using namespace nas;
using namespace nas::testing;

namespace {

LatencyTable MadeUpTable(double scale = 1) {
  LatencyTable table;
  table.name = "made-up";
  table.identity = CpuIdentity();
  for (const auto& row : MadeUpRows(scale)) {
    LatencyRow& out = table.rows.emplace_back();
    out.key = ToString(row.key);
    out.stats.mean = row.ms;
    out.stats.std = row.std_ms;
    out.stats.n = row.count;
  }
  for (const auto& [key, ms] : {std::pair{"conv:224,3,112,32,0,0,0,0,0,-", 2.0},
                                {"conv:112,3,56,32,0,0,0,0,0,-", 0.6},
                                {"conv_1:7,320,7,1280,0,0,0,0,0,-", 1.5},
                                {"conv_1:5,320,5,1280,0,0,0,0,0,-", 0.9},
                                {"logits:7,1280,1,1000,0,0,0,0,0,-", 0.6},
                                {"logits:5,1280,1,1000,0,0,0,0,0,-", 0.55}}) {
    LatencyRow& out = table.rows.emplace_back();
    out.key = key;
    out.stats.mean = ms * scale;
  }
  return table;
}

/// Networks of 4…12 of the table's blocks whose time is a·S + b (times 1 + noise).
void AddNetworks(LatencyTable& table, int count, double a, double b, double noise, const char* role = "calibrate") {
  const LatencyModel model = LatencyModel::Fit(table);
  CounterRng rng(21, table.nets.size());
  for (int i = 0; i < count; ++i) {
    LatencyNet& net = table.nets.emplace_back();
    net.name = std::string(role) + std::to_string(i);
    net.resolution = 224;
    net.role = role;
    double sum = 0;
    const auto blocks = 4 + rng.Below(9);
    for (std::uint64_t k = 0; k < blocks; ++k) {
      net.keys.push_back(table.rows[rng.Below(table.rows.size())].key);
      sum += model.PredictBlock(ParseBlockKey(net.keys.back())).ms;
    }
    net.stats.median = (a * sum + b) * (1 + noise * rng.Normal());
  }
}

BlockKey RandomKey(CounterRng& rng) {
  BlockKey key;
  key.h = 1 + static_cast<int>(rng.Below(256));
  key.cin = 1 + static_cast<int>(rng.Below(512));
  key.s = 1 + static_cast<int>(rng.Below(2));
  key.hout = (key.h - 1) / key.s + 1;
  key.cout = rng.Below(2) == 0 && key.s == 1 ? key.cin : 1 + static_cast<int>(rng.Below(512));
  key.mid = key.cin * (1 + static_cast<int>(rng.Below(8)));
  key.k = 1 + 2 * static_cast<int>(rng.Below(5));
  key.skip = key.s == 1 && key.cin == key.cout;
  key.se = rng.Below(2) == 1;
  key.act = rng.Below(2) == 1 ? BlockAct::kHSwish : BlockAct::kRelu;
  return key;
}

}  // namespace

TEST_CASE("rows in another order give the same bytes") {
  LatencyTable table = MadeUpTable();
  AddNetworks(table, 12, 1.1, 2, 0.02);
  LatencyTable shuffled = table;
  CounterRng rng(8);
  const auto order = rng.Permutation(static_cast<std::int64_t>(table.rows.size()));
  for (size_t i = 0; i < order.size(); ++i) shuffled.rows[i] = table.rows[order[i]];
  std::reverse(shuffled.nets.begin(), shuffled.nets.end());
  FitTable(table);
  FitTable(shuffled);
  CHECK(TableToText(table) == TableToText(shuffled));
}

TEST_CASE("scaling all times scales weights, b and intervals") {
  LatencyTable once = MadeUpTable(1), tripled = MadeUpTable(3);
  AddNetworks(once, 12, 1.1, 2, 0.02);
  tripled.nets = once.nets;
  for (auto& net : tripled.nets) *net.stats.median *= 3;
  FitTable(once);
  FitTable(tripled);
  for (size_t j = 0; j < once.model->w.size(); ++j) {
    CHECK(tripled.model->w[j] == Approx(3 * once.model->w[j]).epsilon(1e-6).margin(1e-9));
  }
  CHECK(tripled.calibration->a == Approx(once.calibration->a).epsilon(1e-6));
  CHECK(tripled.calibration->b == Approx(3 * once.calibration->b).epsilon(1e-6));
  const auto& net = once.nets[0];
  const NetworkPrediction p1 = LatencyModel(once).PredictKeys(net.keys, 224);
  const NetworkPrediction p3 = LatencyModel(tripled).PredictKeys(net.keys, 224);
  CHECK(p3.ms == Approx(3 * p1.ms).epsilon(1e-6));
  CHECK(p3.half_width == Approx(3 * p1.half_width).epsilon(1e-4));
}

TEST_CASE("every legal key has a finite positive latency") {
  const LatencyModel model = LatencyModel::Fit(MadeUpTable());
  CounterRng rng(5);
  for (int i = 0; i < 500; ++i) {
    const BlockKey key = RandomKey(rng);
    REQUIRE(BlockKeyProblem(key).empty());
    const BlockPrediction block = model.PredictBlock(key);
    CHECK(std::isfinite(block.ms));
    CHECK(block.ms > 0);
    CHECK(std::isfinite(block.sigma));
    CHECK(block.sigma > 0);
  }
  for (const char* key :
       {"avgpool2d:9,64,1,64,0,0,0,0,0,-", "conv_2:1,64,1,64,0,0,0,0,0,-", "conv1x1:16,32,8,64,0,0,2,0,0,-"}) {
    CHECK(model.PredictBlock(ParseBlockKey(key)).ms > 0);
  }
}

TEST_CASE("5 networks give a and b, 1 to 4 a alone, none leave the table uncalibrated") {
  for (int count : {0, 1, 4, 5, 10}) {
    LatencyTable table = MadeUpTable();
    if (count > 0) AddNetworks(table, count, 1.2, 5, 0);
    FitTable(table);
    INFO(count << " networks: " << table.calibration->form);
    CHECK(table.calibration->form == (count == 0 ? "none" : count < 5 ? "scale" : "affine"));
    if (count == 0) {
      CHECK(table.calibration->a == 1);
      CHECK_FALSE(LatencyModel(table).PredictKeys({table.rows[0].key}, 224).calibrated);
      CHECK(table.calibration->sigma_cal == 0.10);
    }
    if (count >= 5) {
      CHECK(table.calibration->a == Approx(1.2).epsilon(1e-3));
      CHECK(table.calibration->b == Approx(5).epsilon(1e-2));
    }
  }
}

TEST_CASE("a network measured beside a busy neighbour moves neither a and b nor the error that they state") {
  LatencyTable table = MadeUpTable();
  AddNetworks(table, 10, 1.2, 5, 0);
  LatencyNet& disturbed = table.nets[3];
  const double truth = *disturbed.stats.median;
  disturbed.stats.median = 1.6 * truth;
  FitTable(table);
  CHECK(table.calibration->sigma_cal > 0.1);
  table.nets[3].stats.ci = std::array<double, 2>{truth, 2.2 * truth};
  REQUIRE(table.nets[3].stats.median == 1.6 * truth);
  FitTable(table);
  CHECK(table.calibration->a == Approx(1.2).epsilon(0.01));
  CHECK(table.calibration->sigma_cal < 0.03);
}

TEST_CASE("held-out networks take no part in any fit") {
  LatencyTable table = MadeUpTable();
  AddNetworks(table, 10, 1.2, 5, 0.01);
  LatencyTable more = table;
  AddNetworks(more, 10, 7, 90, 0, "held-out");
  FitTable(table);
  FitTable(more);
  CHECK(*table.model == *more.model);
  CHECK(*table.calibration == *more.calibration);
}

TEST_CASE("the 95 % interval of whole networks covers about 95 %") {
  LatencyTable table = MadeUpTable();
  AddNetworks(table, 40, 1.1, 3, 0.03);
  AddNetworks(table, 100, 1.1, 3, 0.03, "held-out");
  FitTable(table);
  const SplitReport report = EvaluateHeldOut(table).report;
  CHECK(*report.coverage_95 >= 0.88);
  CHECK(*report.mean_width_pct < 12);
}

TEST_CASE("the launch-bound form is taken where launches decide, and only for GPUs at small batch") {
  LatencyTable table = MadeUpTable(0.01);
  AddNetworks(table, 40, 1, 0, 0);
  const LatencyModel blocks = LatencyModel::Fit(MadeUpTable(0.01));
  for (auto& net : table.nets) {
    double launches = 0, sum = 0;
    for (const auto& key : net.keys) launches += BlockLaunches(ParseBlockKey(key));
    for (const auto& key : net.keys) sum += blocks.PredictBlock(ParseBlockKey(key)).ms;
    net.stats.median = std::pow(std::pow(sum, 8) + std::pow(0.5 + 0.02 * launches, 8), 1.0 / 8);
  }
  LatencyTable gpu = table;
  gpu.identity = GpuIdentity(1);
  FitTable(gpu);
  CHECK(gpu.calibration->form == "launch_bound");
  CHECK(gpu.calibration->c0 == Approx(0.5).epsilon(0.05));
  CHECK(gpu.calibration->c1 == Approx(0.02).epsilon(0.05));
  LatencyTable large = table;
  large.identity = GpuIdentity(64);
  FitTable(large);
  CHECK(large.calibration->form == "affine");
  FitTable(table);
  CHECK(table.calibration->form == "affine");
}

TEST_CASE("head pieces have models of their own; with one row they scale, with none they are estimated") {
  LatencyTable table = MadeUpTable();
  std::erase_if(table.rows, [](const LatencyRow& row) { return row.key.rfind("conv_1:5", 0) == 0; });
  const LatencyModel model = LatencyModel::Fit(table);
  const auto flags = [&](const char* key) { return model.PredictBlock(ParseBlockKey(key)).flags; };
  CHECK(flags("conv:160,3,80,32,0,0,0,0,0,-").empty());
  const BlockPrediction scaled = model.PredictBlock(ParseBlockKey("conv_1:14,320,14,1280,0,0,0,0,0,-"));
  CHECK(scaled.flags == std::vector<std::string>{"head_scaled"});
  CHECK(scaled.sigma == Approx(0.3));
  CHECK(scaled.ms == Approx(4 * 1.5));
  const BlockPrediction estimated = model.PredictBlock(ParseBlockKey("conv_2:1,1000,1,2000,0,0,0,0,0,-"));
  CHECK(estimated.flags.front() == "head_estimated");
  CHECK(estimated.ms == Approx(0.35 * 2));
  CHECK(estimated.extrapolated);
}

TEST_CASE("flags: what was never sampled, and sizes outside the sampled range") {
  const LatencyModel model = LatencyModel::Fit(MadeUpTable());
  const auto predict = [&](const char* key, int resolution = 0) {
    return model.PredictBlock(ParseBlockKey(key), resolution);
  };
  CHECK_FALSE(predict("mbconv:28,40,28,40,240,5,1,1,0,relu").extrapolated);   // relu and relu6 are one class
  CHECK_FALSE(predict("mbconv:60,40,60,40,240,5,1,1,0,relu6").extrapolated);  // inside the margin of 1.1
  CHECK(predict("mbconv:70,40,70,40,240,5,1,1,0,relu6").flags == std::vector<std::string>{"h 70 is outside 7…56"});
  CHECK(predict("mbconv:28,40,28,40,240,9,1,1,0,relu6").flags == std::vector<std::string>{"k 9 was never sampled"});
  CHECK(predict("mbconv:28,40,28,40,240,5,1,1,1,relu6").flags ==
        std::vector<std::string>{"se 1 with relu was never sampled"});
  CHECK(predict("mbconv:28,40,28,40,240,9,1,1,0,relu6").sigma >= 0.45);
  CHECK(predict("mbconv:70,40,70,40,240,5,1,1,0,relu6").sigma == Approx(0.2).margin(0.05));
  CHECK(predict("mbconv:28,40,28,40,240,5,1,1,0,relu6", 300).extrapolated);
  CHECK_FALSE(predict("mbconv:28,40,28,40,240,5,1,1,0,relu6", 224).extrapolated);
}

TEST_CASE("measured rows alone: exact values, and missing keys named with the nearest covered one") {
  const LatencyTable table = MadeUpTable();
  const LatencyModel model(table, BlockSource::kMeasuredOnly);
  CHECK(model.PredictBlock(ParseBlockKey(table.rows[0].key)).ms == table.rows[0].stats.Value());
  std::vector<std::string> keys;
  for (int c = 100; c < 107; ++c) keys.push_back("mbconv:28,40,28," + std::to_string(c) + ",240,5,1,0,0,relu6");
  try {
    model.PredictKeys(keys, 224);
    FAIL("accepted");
  } catch (const Error& error) {
    const std::string text = error.what();
    CHECK(error.kind() == ErrorKind::kInput);
    CHECK_THAT(text, Catch::Matchers::Contains("no measured row for 7"));
    CHECK_THAT(text, Catch::Matchers::Contains("nearest: mbconv:28,40,"));
    CHECK(text.find("28,105,") == std::string::npos);  // five are listed
  }
}

TEST_CASE("two runs: rows are merged, and σ_run is measured") {
  LatencyTable table = MadeUpTable();
  const size_t rows = table.rows.size();
  for (size_t i = 0; i < rows; ++i) {
    LatencyRow again = table.rows[i];
    again.run = 2;
    *again.stats.mean *= i % 2 == 0 ? 1.02 : 0.98;
    table.rows.push_back(again);
  }
  FitTable(table);
  CHECK(table.model->sigma_run == Approx(0.02 / std::sqrt(2.0)).epsilon(0.02));
  CHECK(MeasureNoiseFloor(table).between_runs.has_value());
}

TEST_CASE("a table without anything to fit on says what is missing") {
  LatencyTable table;
  table.name = "empty";
  CHECK_THROWS_WITH(FitTable(table), Catch::Matchers::Contains("only 0 whole networks"));
  CHECK_THROWS_WITH(LatencyModel(table), Catch::Matchers::Contains("nas predictor fit"));
}

TEST_CASE("whole networks alone give block costs that are inferred, and b") {
  LatencyTable source = MadeUpTable();
  AddNetworks(source, 60, 1, 4, 0);
  LatencyTable table;
  table.name = "nets";
  table.identity = CpuIdentity();
  table.nets = source.nets;
  FitTable(table);
  CHECK(table.model->inferred());
  CHECK(table.calibration->b > 0);
  const LatencyModel model(table);
  const NetworkPrediction p = model.PredictKeys(table.nets[5].keys, 224);
  CHECK(p.ms == Approx(table.nets[5].stats.Value()).epsilon(0.05));
  CHECK(p.blocks[0].inferred);
  CHECK(TableFromText(TableToText(table), "t") == table);
}
