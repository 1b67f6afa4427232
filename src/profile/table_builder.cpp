// SPDX-License-Identifier: Apache-2.0
#include "table_builder.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "nas/core/clock.h"
#include "nas/core/stats.h"
#include "nas/core/text.h"
#include "nas/latency/block_key.h"
#include "nas/latency/evaluation.h"
#include "nas/latency/fit.h"

namespace nas::detail {
namespace {

constexpr double kQuietQuantile = 0.2;
constexpr int kLeastBlocks = 16;  // φ has 15 entries
constexpr int kLeastNets = 5;     // from which a and b are fitted

const MeasureItem* FindItem(const std::vector<MeasureItem>& items, const std::string& id) {
  const auto found = std::find_if(items.begin(), items.end(), [&](const MeasureItem& item) { return item.id == id; });
  return found == items.end() ? nullptr : &*found;
}

LatencyNet ToNet(const MeasureItem& item, const std::string& role, int run, SampleStats stats) {
  LatencyNet net;
  net.name = NetName(item);
  net.resolution = item.resolution;
  net.keys = item.keys;
  net.role = role;
  net.run = run;
  net.stats = std::move(stats);
  return net;
}

}  // namespace

DeviceIdentity ReadIdentity(const Engine& engine) {
  return DeviceIdentityFromJson(ObjectReader(JsonDocument::Parse(engine.Identity().dump(), "identity of the engine")));
}

RecordedState ReadRecorded(const Engine& engine) {
  const JsonDocument document = JsonDocument::Parse(engine.Recorded().dump(), "state of the engine");
  ObjectReader reader(document);
  RecordedState recorded;
  recorded.kernel = reader.String("kernel");
  recorded.governor = reader.String("governor");
  recorded.power = reader.String("power");
  recorded.driver = reader.String("driver");
  recorded.agent_hash = reader.String("agent_hash");
  recorded.emulated = reader.Bool("emulated");
  reader.Finish();
  return recorded;
}

LatencyTable NewTable(const Engine& engine, const std::string& name, const ProfilePlan& plan,
                      const SearchSpace& space) {
  LatencyTable table;
  table.name = name;
  table.created = NowIso8601();
  table.tool = ToolVersion();
  table.identity = ReadIdentity(engine);
  table.recorded = ReadRecorded(engine);
  table.protocol = StoredProtocol(plan.protocol);
  table.provenance.source = "nas profile-device";
  table.provenance.licence = "own measurement";
  table.provenance.kind = "measured";
  table.provenance.notes = StrCat("plan ", plan.name, ", space ", space.name(),
                                  "; times are divided by reference_ratio, what the reference network took beside the "
                                  "item over its quiet time");
  return table;
}

double QuietReference(const std::map<std::string, ItemResult>& results) {
  std::vector<double> readings;
  for (const auto& [id, result] : results) {
    if (result.error.empty() && result.reference_ms > 0) readings.push_back(result.reference_ms);
  }
  return readings.empty() ? 0 : Quantile(readings, kQuietQuantile);
}

SampleStats ToStats(const ItemResult& result, double quiet_reference) {
  const bool looked = result.reference_ms > 0 && quiet_reference > 0;
  const double ratio = looked ? result.reference_ms / quiet_reference : 1;
  SampleStats stats;
  stats.n = result.n;
  stats.min = result.min / ratio;
  stats.p10 = result.p10 / ratio;
  stats.p25 = result.p25 / ratio;
  stats.median = result.median / ratio;
  stats.p75 = result.p75 / ratio;
  stats.p90 = result.p90 / ratio;
  stats.p99 = result.p99 / ratio;
  stats.mean = result.mean / ratio;
  stats.std = result.std / ratio;
  stats.mad = result.mad / ratio;
  stats.ci = std::array<double, 2>{result.ci[0] / ratio, result.ci[1] / ratio};
  stats.outlier_share = result.outlier_share;
  stats.warmup_runs = result.warmup_runs;
  stats.first_ms = result.first_ms;
  if (looked) stats.reference_ratio = ratio;
  stats.flags = result.flags;
  return stats;
}

void AddRun(LatencyTable& table, const ProfilePlan& plan, const std::map<std::string, ItemResult>& results,
            const MeasuringReport& report, int run, const std::string& start) {
  const double quiet = QuietReference(results);
  for (const auto& [id, result] : results) {
    if (!result.error.empty()) continue;
    const SampleStats stats = ToStats(result, quiet);
    if (const MeasureItem* block = FindItem(plan.blocks, id)) {
      LatencyRow row;
      row.key = block->keys[block->timed];
      row.run = run;
      row.stats = stats;
      table.rows.push_back(std::move(row));
    } else if (const MeasureItem* net = FindItem(plan.calibrate, id)) {
      table.nets.push_back(ToNet(*net, "calibrate", run, stats));
    } else if (const MeasureItem* kept = FindItem(plan.held_out, id)) {
      table.nets.push_back(ToNet(*kept, "held-out", run, stats));
    }
  }
  MeasureRun record;
  record.run = run;
  record.start = start;
  record.seconds = std::round(report.seconds * 10) / 10;
  record.reference_drift = report.reference_drift;
  record.temp_c = report.temp_c;
  record.mhz = report.mhz;
  table.runs.push_back(std::move(record));
}

const LatencyNet* FindReference(const LatencyTable& table, const std::string& space) {
  const LatencyNet* first = nullptr;
  for (const LatencyNet& net : table.nets) {
    if (!EndsWith(net.name, "-reference")) continue;
    if (net.name == space + "-reference") return &net;
    if (first == nullptr || net.run < first->run) first = &net;
  }
  return first;
}

std::string MissingForFit(const LatencyTable& table, const ProfilePlan& plan) {
  std::set<std::string> measured;
  int blocks = 0;
  for (const LatencyRow& row : table.rows) {
    if (measured.insert(row.key).second) blocks += StartsWith(row.key, "mbconv:");
  }
  int planned = 0;
  for (const MeasureItem& item : plan.blocks) {
    const std::string& key = item.keys[item.timed];
    const bool mbconv = StartsWith(key, "mbconv:");
    planned += mbconv;
    if (!mbconv && !measured.contains(key)) return StrCat("no time of ", key);
  }
  const int needed = std::min(planned, kLeastBlocks);
  if (blocks < needed) return StrCat(blocks, " of at least ", needed, " blocks");
  const auto nets =
      std::count_if(table.nets.begin(), table.nets.end(), [](const auto& n) { return n.role == "calibrate"; });
  const auto nets_needed = std::min<std::ptrdiff_t>(kLeastNets, static_cast<std::ptrdiff_t>(plan.calibrate.size()));
  if (nets < nets_needed) return StrCat(nets, " of at least ", nets_needed, " calibration networks");
  return "";
}

void FitAndCertify(LatencyTable& table, bool noisy) {
  FitTable(table);
  if (noisy && table.model && table.calibration) {
    const double floor = MeasureNoiseFloor(table).within_run.value_or(0);
    table.model->sigma_run = std::max(table.model->sigma_run, floor);
    table.calibration->sigma_cal = std::hypot(table.calibration->sigma_cal, floor);
  }
  const bool held_out =
      std::any_of(table.nets.begin(), table.nets.end(), [](const auto& n) { return n.role == "held-out"; });
  const std::vector<std::string> splits =
      held_out ? std::vector<std::string>{"nets:held-out"} : std::vector<std::string>{};
  table.certificate = MakeCertificate(table, EvalDataFromTable(table), splits, table.created.substr(0, 10));
  SortTable(table);
}

}  // namespace nas::detail
