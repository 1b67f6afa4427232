// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/transfer.h"

#include <map>

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
  for (const Goal& g : {Goal{pixel4_table, pixel1, 20, 7.5}, Goal{pixel4_table, pixel1, 50, 5.5}, Goal{note10_table, pixel4, 20, 7.0},
                        Goal{note10_table, pixel4, 50, 5.0}, Goal{note10_table, pixel1, 20, 7.5}, Goal{note10_table, pixel1, 50, 5.5}}) {
    const FewShot result = MeasureFewShot(g.source, g.target, g.n, 10);
    INFO(g.source.name << " -> " << g.target.device << ", n = " << g.n << ": " << Show(result));
    CHECK(result.mape <= g.goal);
    if (&g.source == &pixel4_table) {
      CHECK(result.levels.count("scale") == 0);
      CHECK(result.warned == 10);
    }
  }
}
