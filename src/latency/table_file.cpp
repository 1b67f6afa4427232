// SPDX-License-Identifier: Apache-2.0
// Reading and writing of `nas.latency/1`: strict, and lossless in both directions.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/core/version.h"
#include "nas/latency/block_key.h"
#include "nas/latency/latency_table.h"
#include "table_sections.h"

namespace nas {
namespace {

constexpr const char* kSchema = "nas.latency/1";

struct StatField {
  const char* name;
  std::optional<double> SampleStats::*field;
};
constexpr StatField kStatFields[] = {{"min", &SampleStats::min}, {"p10", &SampleStats::p10},
                                     {"p25", &SampleStats::p25}, {"median", &SampleStats::median},
                                     {"p75", &SampleStats::p75}, {"p90", &SampleStats::p90},
                                     {"p99", &SampleStats::p99}, {"mean", &SampleStats::mean},
                                     {"std", &SampleStats::std}, {"mad", &SampleStats::mad}};

const std::vector<std::string>& RowFlags() {
  static const std::vector<std::string> flags = {"unstable", "ci_not_reached", "isolated", "retimed", "imported_mean"};
  return flags;
}

void PutStats(Json& json, const SampleStats& stats) {
  if (stats.n > 0) json["n"] = stats.n;
  for (const auto& f : kStatFields) {
    if (stats.*f.field) json[f.name] = *(stats.*f.field);
  }
  if (stats.ci) json["ci"] = *stats.ci;
  if (stats.outlier_share) json["outlier_share"] = *stats.outlier_share;
  if (stats.warmup_runs) json["warmup_runs"] = *stats.warmup_runs;
  if (stats.first_ms) json["first_ms"] = *stats.first_ms;
  if (stats.reference_ratio) json["reference_ratio"] = *stats.reference_ratio;
  json["flags"] = stats.flags;
}

SampleStats ReadStats(ObjectReader& reader) {
  SampleStats stats;
  stats.n = reader.Int("n", 1, std::int64_t{1} << 40, 0);
  for (const auto& f : kStatFields) {
    if (!reader.Has(f.name)) continue;
    const double value = reader.Number(f.name);
    const bool spread = f.field == &SampleStats::std || f.field == &SampleStats::mad;
    if (!(spread ? value >= 0 : value > 0)) {
      reader.Fail(f.name, StrCat(value, spread ? " ms is negative" : " ms is not above 0"));
    }
    stats.*f.field = value;
  }
  if (!stats.median && !stats.mean) reader.Fail("", "neither \"median\" nor \"mean\"");
  if (reader.Has("ci")) stats.ci = ReadPair(reader, "ci");
  if (reader.Has("outlier_share")) stats.outlier_share = reader.Number("outlier_share");
  if (reader.Has("warmup_runs")) stats.warmup_runs = static_cast<int>(reader.Int("warmup_runs", 0, 1 << 30));
  if (reader.Has("first_ms")) stats.first_ms = reader.Number("first_ms");
  if (reader.Has("reference_ratio")) stats.reference_ratio = reader.Number("reference_ratio");
  stats.flags = reader.Strings("flags");
  for (const auto& flag : stats.flags) {
    if (std::find(RowFlags().begin(), RowFlags().end(), flag) == RowFlags().end()) {
      reader.Fail("flags", StrCat("unknown flag \"", flag, "\"", DidYouMean(flag, RowFlags())));
    }
  }
  return stats;
}

/// Checks the key and gives it back in its normal spelling.
std::string ReadKey(const ObjectReader& reader, const std::string& field, const std::string& text) {
  try {
    return ToString(ParseBlockKey(text));
  } catch (const Error& error) {
    reader.Fail(field, error.what());
  }
}

Json ToJson(const LatencyRow& row) {
  Json json = Json::object();
  json["key"] = row.key;
  json["run"] = row.run;
  PutStats(json, row.stats);
  return json;
}

LatencyRow ReadRow(ObjectReader reader) {
  LatencyRow row;
  row.key = ReadKey(reader, "key", reader.String("key"));
  row.run = static_cast<int>(reader.Int("run", 1, 1000000));
  row.stats = ReadStats(reader);
  reader.Finish();
  return row;
}

Json ToJson(const LatencyNet& net) {
  Json json = Json::object();
  json["arch"] = Json{{"name", net.name}, {"resolution", net.resolution}, {"keys", net.keys}};
  json["role"] = net.role;
  json["run"] = net.run;
  PutStats(json, net.stats);
  return json;
}

LatencyNet ReadNet(ObjectReader reader) {
  LatencyNet net;
  ObjectReader arch = reader.Object("arch");
  net.name = arch.String("name");
  net.resolution = static_cast<int>(arch.Int("resolution", 1, 1 << 14));
  for (const auto& key : arch.Strings("keys")) net.keys.push_back(ReadKey(arch, "keys", key));
  if (net.keys.empty()) arch.Fail("keys", "a network without blocks");
  arch.Finish();
  net.role = reader.Choice("role", {"calibrate", "held-out"});
  net.run = static_cast<int>(reader.Int("run", 1, 1000000));
  net.stats = ReadStats(reader);
  reader.Finish();
  return net;
}

Json ToJson(const RecordedState& state) {
  return Json{{"kernel", state.kernel}, {"governor", state.governor},     {"power", state.power},
              {"driver", state.driver}, {"agent_hash", state.agent_hash}, {"emulated", state.emulated}};
}

RecordedState ReadRecorded(ObjectReader reader) {
  RecordedState state;
  state.kernel = reader.String("kernel");
  state.governor = reader.String("governor");
  state.power = reader.String("power");
  state.driver = reader.String("driver");
  state.agent_hash = reader.String("agent_hash");
  state.emulated = reader.Bool("emulated");
  reader.Finish();
  return state;
}

Json ToJson(const MeasureProtocol& p) {
  return Json{{"mode", p.mode},
              {"min_runs", p.min_runs},
              {"min_seconds", p.min_seconds},
              {"ci_half_width", p.ci_half_width},
              {"max_runs", p.max_runs},
              {"max_seconds", p.max_seconds},
              {"warmup", p.warmup},
              {"order_seed", p.order_seed},
              {"reference_every", p.reference_every}};
}

MeasureProtocol ReadProtocol(ObjectReader reader) {
  MeasureProtocol p;
  p.mode = reader.Choice("mode", {"chain", "isolated"});
  p.min_runs = static_cast<int>(reader.Int("min_runs", 1, 1000000));
  p.min_seconds = reader.Number("min_seconds");
  p.ci_half_width = reader.Number("ci_half_width");
  p.max_runs = static_cast<int>(reader.Int("max_runs", 1, 1000000));
  p.max_seconds = reader.Number("max_seconds");
  p.warmup = reader.String("warmup");
  p.order_seed = reader.Int("order_seed", 0, std::int64_t{1} << 62);
  p.reference_every = static_cast<int>(reader.Int("reference_every", 0, 1000000));
  reader.Finish();
  return p;
}

Json ToJson(const MeasureRun& run) {
  return Json{{"run", run.run},         {"start", run.start},
              {"seconds", run.seconds}, {"reference_drift", run.reference_drift},
              {"temp_c", run.temp_c},   {"mhz", run.mhz}};
}

MeasureRun ReadRun(ObjectReader reader) {
  MeasureRun run;
  run.run = static_cast<int>(reader.Int("run", 1, 1000000));
  run.start = reader.String("start");
  run.seconds = reader.Number("seconds");
  run.reference_drift = reader.Number("reference_drift");
  run.temp_c = reader.Numbers("temp_c");
  run.mhz = reader.Numbers("mhz");
  reader.Finish();
  return run;
}

Json ToJson(const Provenance& p) {
  return Json{{"source", p.source}, {"licence", p.licence}, {"kind", p.kind}, {"notes", p.notes}};
}

Provenance ReadProvenance(ObjectReader reader) {
  Provenance p;
  p.source = reader.String("source");
  p.licence = reader.String("licence");
  p.kind = reader.Choice("kind", {"measured", "summed", "predicted"});
  p.notes = reader.String("notes");
  reader.Finish();
  return p;
}

void ReadDevice(ObjectReader device, LatencyTable& table) {
  const std::string id = device.String("id");
  table.identity = DeviceIdentityFromJson(device.Object("identity"));
  table.recorded = ReadRecorded(device.Object("recorded"));
  if (id != table.id()) {
    device.Fail("id", StrCat("\"", id, "\" is not the id of this identity (", table.id(),
                             "): the identity was edited; measure anew or import with the right identity"));
  }
  device.Finish();
}

}  // namespace

void SortTable(LatencyTable& table) {
  std::stable_sort(table.rows.begin(), table.rows.end(), [](const LatencyRow& a, const LatencyRow& b) {
    return std::tie(a.key, a.run) < std::tie(b.key, b.run);
  });
  std::stable_sort(table.nets.begin(), table.nets.end(), [](const LatencyNet& a, const LatencyNet& b) {
    return std::tie(a.name, a.run, a.resolution, a.keys) < std::tie(b.name, b.run, b.resolution, b.keys);
  });
  std::stable_sort(table.runs.begin(), table.runs.end(),
                   [](const MeasureRun& a, const MeasureRun& b) { return a.run < b.run; });
}

std::string TableToText(const LatencyTable& table) {
  LatencyTable sorted = table;
  SortTable(sorted);
  Json json = Json::object();
  json["schema"] = kSchema;
  json["name"] = sorted.name;
  json["unit"] = "ms";
  json["created"] = sorted.created;
  json["tool"] = sorted.tool;
  json["device"] =
      Json{{"id", sorted.id()}, {"identity", ToJson(sorted.identity)}, {"recorded", ToJson(sorted.recorded)}};
  json["protocol"] = sorted.protocol ? ToJson(*sorted.protocol) : Json(nullptr);
  json["runs"] = Json::array();
  for (const auto& run : sorted.runs) json["runs"].push_back(ToJson(run));
  json["rows"] = Json::array();
  for (const auto& row : sorted.rows) json["rows"].push_back(ToJson(row));
  json["nets"] = Json::array();
  for (const auto& net : sorted.nets) json["nets"].push_back(ToJson(net));
  json["model"] = sorted.model ? ModelToJson(*sorted.model) : Json(nullptr);
  json["calibration"] = sorted.calibration ? CalibrationToJson(*sorted.calibration) : Json(nullptr);
  json["certificate"] = sorted.certificate ? CertificateToJson(*sorted.certificate) : Json(nullptr);
  json["provenance"] = ToJson(sorted.provenance);
  return PrettyDump(json);
}

LatencyTable TableFromText(std::string text, const std::string& source_name) {
  const JsonDocument document = JsonDocument::Parse(std::move(text), source_name);
  ObjectReader reader(document);
  reader.Choice("schema", {kSchema});
  LatencyTable table;
  table.name = reader.String("name");
  reader.Choice("unit", {"ms"});
  table.created = reader.String("created");
  table.tool = reader.String("tool");
  ReadDevice(reader.Object("device"), table);
  if (reader.Has("protocol")) table.protocol = ReadProtocol(reader.Object("protocol"));
  for (auto& run : reader.Objects("runs")) table.runs.push_back(ReadRun(run));
  for (auto& row : reader.Objects("rows")) table.rows.push_back(ReadRow(row));
  for (auto& net : reader.Objects("nets")) table.nets.push_back(ReadNet(net));
  if (reader.Has("model")) table.model = ModelFromJson(reader.Object("model"));
  if (reader.Has("calibration")) table.calibration = CalibrationFromJson(reader.Object("calibration"));
  if (reader.Has("certificate")) table.certificate = CertificateFromJson(reader.Object("certificate"));
  table.provenance = ReadProvenance(reader.Object("provenance"));
  for (const char* optional : {"protocol", "model", "calibration", "certificate"}) {
    if (!reader.Has(optional) && !reader.IsNull(optional))
      reader.Fail("", StrCat("no key \"", optional, "\" (null is allowed)"));
    reader.Ignore(optional);
  }
  reader.Finish();
  SortTable(table);
  return table;
}

LatencyTable LoadTable(const std::string& path) { return TableFromText(ReadFile(path), path); }

void SaveTable(const LatencyTable& table, const std::string& path) { WriteFileAtomic(path, TableToText(table)); }

std::string ToolVersion() { return std::string("nas ") + kVersion; }

}  // namespace nas
