// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/transfer.h"

#include <map>
#include <set>

#include "latency_data.h"
#include "nas/core/error.h"
#include "nas/latency/item_choice.h"
#include "nas/latency/latency_model.h"

using namespace nas;
using namespace nas::testing;

namespace {

struct FewShot {
  double mape = 0;                    ///< mean over the draws
  std::map<std::string, int> levels;  ///< how often each was chosen
  int warned = 0;                     ///< draws with items outside the source's hull
};

/// Draws n mbconv rows of the target, transfers, and tests on all others.
FewShot MeasureFewShot(const LatencyTable& source, const ImportedData& target, int n, int draws) {
  FewShot result;
  std::vector<ImportedRow> rows;
  for (const auto& row : MergeTwins(target.rows, false)) {
    if (row.key.op == BlockOp::kMbconv) rows.push_back(row);
  }
  for (int draw = 0; draw < draws; ++draw) {
    CounterRng rng(draw, 99);
    const auto order = rng.Permutation(static_cast<std::int64_t>(rows.size()));
    LatencyTable items;
    items.name = "few";
    items.identity = source.identity;
    for (int i = 0; i < n; ++i) {
      const ImportedRow& row = rows[order[i]];
      LatencyRow& out = items.rows.emplace_back();
      out.key = ToString(row.key);
      out.stats.mean = row.ms;
      out.stats.std = row.std_ms;
      out.stats.n = row.count;
    }
    const TransferResult transfer = Transfer(items, {source});
    ++result.levels[transfer.record.level];
    result.warned += transfer.record.outside_hull > 0 ? 1 : 0;
    const LatencyModel model(transfer.table);
    double error = 0;
    for (size_t i = n; i < rows.size(); ++i) {
      error += 100 * std::abs(model.PredictBlock(rows[order[i]].key).ms / rows[order[i]].ms - 1);
    }
    result.mape += error / static_cast<double>(rows.size() - n) / draws;
  }
  return result;
}

std::string Show(const FewShot& result) {
  std::string text = std::to_string(result.mape) + " %";
  for (const auto& [level, count] : result.levels) text += ", " + level + " " + std::to_string(count);
  return text;
}

LatencyTable MadeUpTable(double scale, const std::string& name) {
  ImportedData data;
  data.rows = MadeUpRows(scale);
  return TableOf(data, name);
}

}  // namespace

TEST_CASE("few-shot goals between phones", "[goals]") {
  const std::string folder = LatencyData();
  if (folder.empty()) return;
  const ImportedData pixel4 = ImportFile(folder + "/pixel4_blocks.csv", "csv");
  const ImportedData pixel1 = ImportFile(folder + "/pixel1_blocks.csv", "csv");
  const LatencyTable pixel4_table = TableOf(pixel4, "pixel4");
  const LatencyTable note10_table = TableOf(ImportFile(folder + "/note10_blocks.csv", "csv"), "note10");
  struct Goal {
    const LatencyTable& source;
    const ImportedData& target;
    int n;
    double goal;
  };
  for (const Goal& g : {Goal{pixel4_table, pixel1, 20, 7.5}, Goal{pixel4_table, pixel1, 50, 5.5},
                        Goal{note10_table, pixel4, 20, 7.0}, Goal{note10_table, pixel4, 50, 5.0},
                        Goal{note10_table, pixel1, 20, 7.5}, Goal{note10_table, pixel1, 50, 5.5}}) {
    const FewShot result = MeasureFewShot(g.source, g.target, g.n, 10);
    INFO(g.source.name << " -> " << g.target.device << ", n = " << g.n << ": " << Show(result));
    CHECK(result.mape <= g.goal);
    if (&g.source == &pixel4_table) {
      CHECK(result.levels.count("scale") == 0);
      CHECK(result.warned == 10);
    }
  }
}

TEST_CASE("a device that is twice as slow is a scale, with few items and with many") {
  const LatencyTable source = MadeUpTable(1, "source");
  for (int n : {1, 4, 12, 30}) {
    LatencyTable items = MadeUpTable(2, "new");
    CounterRng rng(5, 1);
    items.rows.resize(n);
    for (auto& row : items.rows) *row.stats.mean *= 1 + 0.02 * rng.Normal();
    const TransferResult transfer = Transfer(items, {source});
    INFO(n << " items, level " << transfer.record.level);
    if (n < 12) CHECK(transfer.record.level == (n < 5 ? "scale" : transfer.record.level));
    const LatencyModel slow(transfer.table), fast(source, BlockSource::kModelOnly);
    const BlockKey key = ParseBlockKey("mbconv:28,40,28,40,240,5,1,1,0,relu6");
    CHECK(slow.PredictBlock(key).ms == Approx(2 * fast.PredictBlock(key).ms).epsilon(0.08));
    CHECK(transfer.table.certificate->transfer->items == n);
    CHECK(TableFromText(TableToText(transfer.table), "t") == transfer.table);
  }
}

TEST_CASE("levels need their number of items, and a forced level that lacks them is refused") {
  const LatencyTable source = MadeUpTable(1, "source");
  LatencyTable items = MadeUpTable(3, "new");
  items.rows.resize(9);
  TransferOptions options;
  options.level = TransferLevel::kAffine;
  CHECK(Transfer(items, {source}, options).record.level == "affine");
  CHECK(Transfer(items, {source}).record.loo_mape.size() == 3);  // scale, affine, prior
  options.level = TransferLevel::kRidge;
  CHECK_THROWS_WITH(Transfer(items, {source}, options), Catch::Matchers::Contains("needs at least 10"));
  CHECK_THROWS_AS(ParseTransferLevel("linear"), Error);
}

TEST_CASE("devices that must not be compared are refused unless forced, and the certificate says so") {
  LatencyTable source = MadeUpTable(1, "source");
  source.identity.engine = "xnnpack";
  LatencyTable items = MadeUpTable(2, "new");
  items.identity.engine = "tflite";
  items.rows.resize(6);
  CHECK_THROWS_WITH(Transfer(items, {source}),
                    Catch::Matchers::Contains("engine \"tflite\"") && Catch::Matchers::Contains("--force"));
  TransferOptions force;
  force.force = true;
  CHECK_THAT(Transfer(items, {source}, force).table.certificate->transfer->forced, Catch::Matchers::Contains("engine"));
  // Unknown on one side: a warning only.
  items.identity.engine = "unknown";
  const TransferResult unknown = Transfer(items, {source});
  REQUIRE(unknown.warnings.size() >= 1);
  CHECK_THAT(unknown.warnings[0], Catch::Matchers::Contains("engine"));
  // Other masks matter only on one and the same chip.
  items.identity.engine = "xnnpack";
  items.identity.core_mask = "f0";
  source.identity.core_mask = "0f";
  source.identity.soc = items.identity.soc = "EX1";
  CHECK_THROWS_WITH(Transfer(items, {source}), Catch::Matchers::Contains("core_mask"));
  items.identity.soc = "EX2";
  CHECK_NOTHROW(Transfer(items, {source}));
}

TEST_CASE("of several sources the one that resembles the device wins") {
  LatencyTable like = MadeUpTable(1, "like");
  LatencyTable unlike = MadeUpTable(1, "unlike");
  for (auto& row : unlike.rows) row.stats.mean = std::pow(*row.stats.mean, 0.5) * 0.2;
  FitTable(unlike);
  LatencyTable items = MadeUpTable(2, "new");
  items.rows.resize(8);
  const TransferResult transfer = Transfer(items, {unlike, like});
  REQUIRE_FALSE(transfer.record.source_tables.empty());
  CHECK(transfer.record.source_tables[0] == "like");
}

TEST_CASE("whole networks among the items give a and b") {
  const LatencyTable source = MadeUpTable(1, "source");
  LatencyTable items = MadeUpTable(2, "new");
  const LatencyModel truth(items, BlockSource::kModelOnly);
  CounterRng rng(3, 3);
  std::vector<BlockKey> keys;
  for (const auto& row : items.rows) keys.push_back(ParseBlockKey(row.key));
  for (int i = 0; i < 12; ++i) {
    LatencyNet& net = items.nets.emplace_back();
    net.name = "n" + std::to_string(i);
    net.resolution = 112;
    double sum = 0;
    for (int b = 0; b < 5 + i; ++b) {
      const BlockKey& key = keys[rng.Below(keys.size())];
      net.keys.push_back(ToString(key));
      sum += truth.PredictBlock(key).ms;
    }
    net.stats.mean = 1.1 * sum + 3;
  }
  items.rows.resize(40);
  const TransferResult transfer = Transfer(items, {source});
  CHECK(transfer.table.calibration->form == "affine");
  CHECK(transfer.table.calibration->a == Approx(1.1).epsilon(0.05));
  CHECK(transfer.table.calibration->b == Approx(3).epsilon(0.3));
}

TEST_CASE("spread items cover the shapes; D-optimal items are distinct") {
  std::vector<BlockKey> keys;
  for (const auto& row : MadeUpRows()) keys.push_back(row.key);
  const std::vector<int> spread = ChooseSpread(keys, 12);
  CHECK(spread.size() == 12);
  std::set<int> sides, kernels;
  for (int i : spread) {
    sides.insert(keys[i].h);
    kernels.insert(keys[i].k);
  }
  CHECK(sides.size() >= 3);
  CHECK(kernels.size() == 3);
  // Of two copies of a row and one orthogonal to it, D-optimal takes the orthogonal one second.
  const std::vector<int> chosen = ChooseDOptimal({{1, 0}, {1, 0}, {0, 0.9}}, 2, 0.1);
  CHECK(std::set<int>(chosen.begin(), chosen.end()).count(2) == 1);
  CHECK(ChooseDOptimal({{1, 0}, {0, 1}}, 5, 0.1).size() == 2);
}
