// SPDX-License-Identifier: Apache-2.0
#include "nas/device/agent_protocol.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/json.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr int kMostInt = std::numeric_limits<int>::max();
constexpr std::int64_t kMostInt64 = std::numeric_limits<std::int64_t>::max();
constexpr int kMostItems = 100000;
const std::vector<std::string> kHostTypes{"open", "measure", "item", "prepare", "run", "drop", "close"};
const std::vector<std::string> kAgentTypes{"hello", "progress", "result", "report", "prepared", "ran", "error", "bye"};

struct NumberField {
  const char* name;
  double ProtocolOptions::*field;
};
struct CountField {
  const char* name;
  int ProtocolOptions::*field;
};
constexpr NumberField kNumbers[] = {{"warmup_agreement", &ProtocolOptions::warmup_agreement},
                                    {"warmup_min_seconds", &ProtocolOptions::warmup_min_seconds},
                                    {"warmup_max_seconds", &ProtocolOptions::warmup_max_seconds},
                                    {"min_sample_ms", &ProtocolOptions::min_sample_ms},
                                    {"min_seconds", &ProtocolOptions::min_seconds},
                                    {"ci_half_width", &ProtocolOptions::ci_half_width},
                                    {"max_seconds", &ProtocolOptions::max_seconds},
                                    {"correlated_above", &ProtocolOptions::correlated_above},
                                    {"outlier_share", &ProtocolOptions::outlier_share},
                                    {"mode_gap", &ProtocolOptions::mode_gap},
                                    {"reference_seconds", &ProtocolOptions::reference_seconds},
                                    {"drift_limit", &ProtocolOptions::drift_limit},
                                    {"max_pause_seconds", &ProtocolOptions::max_pause_seconds},
                                    {"max_unstable_share", &ProtocolOptions::max_unstable_share},
                                    {"max_noise_floor", &ProtocolOptions::max_noise_floor},
                                    {"quiet_band", &ProtocolOptions::quiet_band},
                                    {"settle_seconds", &ProtocolOptions::settle_seconds},
                                    {"revisit_seconds", &ProtocolOptions::revisit_seconds},
                                    {"deadline_seconds", &ProtocolOptions::deadline_seconds}};
constexpr CountField kCounts[] = {{"window", &ProtocolOptions::window},
                                  {"min_runs", &ProtocolOptions::min_runs},
                                  {"max_runs", &ProtocolOptions::max_runs},
                                  {"reference_every", &ProtocolOptions::reference_every},
                                  {"max_pauses", &ProtocolOptions::max_pauses}};

Json ToJson(const ProtocolOptions& options) {
  Json json = Json::object();
  for (const NumberField& f : kNumbers) json[f.name] = options.*f.field;
  for (const CountField& f : kCounts) json[f.name] = options.*f.field;
  json["chain"] = options.chain;
  json["rotate_bytes"] = options.rotate_bytes;
  json["allow_noisy"] = options.allow_noisy;
  json["order_seed"] = std::to_string(options.order_seed);  // all 64 bits
  return json;
}

std::uint64_t ReadSeed(ObjectReader& reader, const std::string& key) {
  const std::string text = reader.String(key);
  const bool digits = !text.empty() && text.size() <= 20 && text.find_first_not_of("0123456789") == std::string::npos;
  try {
    if (digits) return std::stoull(text);
  } catch (const std::out_of_range&) {
    // Twenty digits can be more than 64 bits.
  }
  reader.Fail(key, "a seed is a whole number in quotes");
}

double ReadSeconds(ObjectReader& reader, const std::string& key) {
  const double value = reader.Number(key);
  if (!(value >= 0)) reader.Fail(key, "has to be at least 0");
  return value;
}

ProtocolOptions ReadProtocol(ObjectReader reader) {
  ProtocolOptions options;
  for (const NumberField& f : kNumbers) options.*f.field = ReadSeconds(reader, f.name);
  for (const CountField& f : kCounts) options.*f.field = static_cast<int>(reader.Int(f.name, 0, 1000000));
  if (options.window < 1) reader.Fail("window", "has to be at least 1");
  if (options.reference_every < 1) reader.Fail("reference_every", "has to be at least 1");
  if (options.max_runs < 1) reader.Fail("max_runs", "has to be at least 1");
  options.chain = reader.Bool("chain");
  options.rotate_bytes = reader.Int("rotate_bytes", 0, kMostInt64);
  options.allow_noisy = reader.Bool("allow_noisy");
  options.order_seed = ReadSeed(reader, "order_seed");
  reader.Finish();
  return options;
}

Json ToJson(const MeasureItem& item) {
  return Json{{"id", item.id},
              {"kind", item.kind == MeasureItem::Kind::kBlock ? "block" : "net"},
              {"keys", item.keys},
              {"timed", item.timed},
              {"resolution", item.resolution}};
}

MeasureItem ReadItem(ObjectReader& reader) {
  MeasureItem item;
  item.id = reader.String("id");
  item.kind = reader.Choice("kind", {"block", "net"}) == "block" ? MeasureItem::Kind::kBlock : MeasureItem::Kind::kNet;
  item.keys = reader.Strings("keys");
  if (item.keys.empty()) reader.Fail("keys", "an item has at least one key");
  item.timed = static_cast<int>(reader.Int("timed", 0, static_cast<std::int64_t>(item.keys.size()) - 1));
  item.resolution = static_cast<int>(reader.Int("resolution", 0, kMostInt));
  return item;
}

Json ToJson(const RunLayout& layout) {
  return Json{{"chain", layout.chain}, {"rotate_bytes", layout.rotate_bytes}, {"seed", std::to_string(layout.seed)}};
}

RunLayout ReadLayout(ObjectReader reader) {
  RunLayout layout;
  layout.chain = reader.Bool("chain");
  layout.rotate_bytes = reader.Int("rotate_bytes", 0, kMostInt64);
  layout.seed = ReadSeed(reader, "seed");
  reader.Finish();
  return layout;
}

AgentOpen ReadOpen(ObjectReader& reader) {
  AgentOpen open;
  const std::string schema = reader.String("schema");
  if (schema != kAgentSchema) {
    reader.Fail("schema",
                StrCat("this agent speaks ", kAgentSchema, ", not ", schema, "; install the agent of that version"));
  }
  open.engine = reader.String("engine");
  open.options.cores = reader.String("core_mask");
  open.options.threads = static_cast<int>(reader.Int("threads", 1, 1024));
  reader.Choice("precision", {"fp32"});
  open.options.batch = static_cast<int>(reader.Int("batch", 1, 65536));
  open.options.seed = ReadSeed(reader, "seed");
  return open;
}

Json ToJson(const MeasuringReport& report) {
  return Json{{"done", report.done},
              {"unstable", report.unstable},
              {"pauses", report.pauses},
              {"retimed", report.retimed},
              {"errors", report.errors},
              {"seconds", report.seconds},
              {"reference_ms", report.reference_ms},
              {"reference_drift", report.reference_drift},
              {"noise_floor", report.noise_floor},
              {"temp_c", report.temp_c},
              {"mhz", report.mhz},
              {"stopped", report.stopped},
              {"deadline", report.deadline},
              {"too_noisy", report.too_noisy}};
}

MeasuringReport ReadReport(ObjectReader& reader) {
  const auto count = [&](const char* key) { return static_cast<int>(reader.Int(key, 0, kMostInt)); };
  MeasuringReport report;
  report.done = count("done");
  report.unstable = count("unstable");
  report.pauses = count("pauses");
  report.retimed = count("retimed");
  report.errors = count("errors");
  report.seconds = ReadSeconds(reader, "seconds");
  report.reference_ms = ReadSeconds(reader, "reference_ms");
  report.reference_drift = reader.Number("reference_drift");
  report.noise_floor = ReadSeconds(reader, "noise_floor");
  report.temp_c = reader.Numbers("temp_c");
  report.mhz = reader.Numbers("mhz");
  report.stopped = reader.Bool("stopped");
  report.deadline = reader.Bool("deadline");
  report.too_noisy = reader.String("too_noisy");
  return report;
}

void ReadHello(ObjectReader& reader, AgentLine& line) {
  line.schema = reader.String("schema");
  line.version = reader.String("version");
  // Of another version nothing further is understood for certain.
  if (line.schema != kAgentSchema) {
    for (const std::string& key : reader.Keys()) reader.Ignore(key);
    return;
  }
  line.hash = reader.String("hash");
  for (const char* key : {"identity", "recorded"}) {
    if (!reader.Raw(key).is_object()) reader.Fail(key, "has to be an object");
  }
  line.identity = reader.Raw("identity").dump();
  line.recorded = reader.Raw("recorded").dump();
  line.cache_bytes = reader.Int("cache_bytes", 0, kMostInt64);
  line.temperature = reader.Number("temperature");
  line.megahertz = ReadSeconds(reader, "megahertz");
}

// The members of an object behind its type.
Json Typed(const char* type, const Json& members = Json::object()) {
  Json json{{"type", type}};
  json.update(members);
  return json;
}

// Of the keys of a result, which is read as a whole.
ItemResult ReadResult(const JsonDocument& document) {
  Json result = document.root();
  result.erase("type");
  return ItemResultFromJson(ObjectReader(JsonDocument::Parse(result.dump(), document.source())));
}

void CheckResult(const ItemResult& result) {
  if (!result.error.empty()) return;
  for (const double ms : {result.min, result.p10, result.p25, result.median, result.p75, result.p90, result.p99,
                          result.mean, result.ci[0], result.ci[1]}) {
    if (!(ms > 0)) ThrowInput(StrCat("the agent's result of ", result.id, " holds ", ms, " ms, which is no time"));
  }
  if (result.min > result.median || result.median > result.p99) {
    ThrowInput(StrCat("the percentiles of the agent's result of ", result.id, " are out of order"));
  }
  if (result.std < 0 || result.mad < 0) {
    ThrowInput(StrCat("the agent's result of ", result.id, " has a negative deviation"));
  }
}

std::size_t TypeOf(ObjectReader& reader, const std::vector<std::string>& types) {
  const std::string type = reader.Choice("type", types);
  return static_cast<std::size_t>(std::find(types.begin(), types.end(), type) - types.begin());
}

}  // namespace

std::string ToText(const AgentOpen& open) {
  return Typed("open", {{"schema", kAgentSchema},
                        {"engine", open.engine},
                        {"core_mask", open.options.cores},
                        {"threads", open.options.threads},
                        {"precision", "fp32"},
                        {"batch", open.options.batch},
                        {"seed", std::to_string(open.options.seed)}})
      .dump();
}

std::vector<std::string> ToTexts(const AgentMeasure& measure) {
  std::vector<std::string> lines;
  lines.push_back(Typed("measure", {{"protocol", ToJson(measure.protocol)},
                                    {"reference", ToJson(measure.reference)},
                                    {"items", measure.items.size()},
                                    {"done", measure.done}})
                      .dump());
  for (const MeasureItem& item : measure.items) lines.push_back(Typed("item", ToJson(item)).dump());
  return lines;
}

std::string PrepareText(int handle, const MeasureItem& item, const RunLayout& layout) {
  return Typed("prepare", {{"handle", handle}, {"item", ToJson(item)}, {"layout", ToJson(layout)}}).dump();
}

std::string RunText(int handle, int calls) { return Typed("run", {{"handle", handle}, {"calls", calls}}).dump(); }

std::string DropText(int handle) { return Typed("drop", {{"handle", handle}}).dump(); }

std::string CloseText() { return Typed("close").dump(); }

std::string ToText(const AgentLine& line) {
  const char* type = kAgentTypes[static_cast<std::size_t>(line.type)].c_str();
  switch (line.type) {
    case AgentLine::Type::kHello:
      return Typed(type, {{"schema", line.schema},
                          {"version", line.version},
                          {"hash", line.hash},
                          {"identity", Json::parse(line.identity)},
                          {"recorded", Json::parse(line.recorded)},
                          {"cache_bytes", line.cache_bytes},
                          {"temperature", line.temperature},
                          {"megahertz", line.megahertz}})
          .dump();
    case AgentLine::Type::kProgress:
      return Typed(type,
                   {{"done", line.done}, {"total", line.total}, {"id", line.id}, {"seconds_left", line.seconds_left}})
          .dump();
    case AgentLine::Type::kResult:
      return Typed(type, ToJson(line.result)).dump();
    case AgentLine::Type::kReport:
      return Typed(type, ToJson(line.report)).dump();
    case AgentLine::Type::kPrepared:
      return Typed(type).dump();
    case AgentLine::Type::kRan:
      return Typed(type, {{"ms", line.ms}}).dump();
    case AgentLine::Type::kError:
      return Typed(type, {{"id", line.id}, {"code", line.code}, {"message", line.message}}).dump();
    case AgentLine::Type::kBye:
      return Typed(type).dump();
  }
  ThrowInternal("an agent line without a type");
}

HostLine ParseHostLine(const std::string& text) {
  ObjectReader reader(JsonDocument::Parse(text, "line of the host"));
  HostLine line;
  line.type = static_cast<HostLine::Type>(TypeOf(reader, kHostTypes));
  switch (line.type) {
    case HostLine::Type::kOpen:
      line.open = ReadOpen(reader);
      break;
    case HostLine::Type::kMeasure: {
      line.measure.protocol = ReadProtocol(reader.Object("protocol"));
      ObjectReader reference = reader.Object("reference");
      line.measure.reference = ReadItem(reference);
      reference.Finish();
      line.items = static_cast<int>(reader.Int("items", 0, kMostItems));
      const std::vector<std::string> done = reader.Strings("done");
      line.measure.done = {done.begin(), done.end()};
      break;
    }
    case HostLine::Type::kItem:
      line.item = ReadItem(reader);
      break;
    case HostLine::Type::kPrepare: {
      ObjectReader item = reader.Object("item");
      line.item = ReadItem(item);
      item.Finish();
      line.layout = ReadLayout(reader.Object("layout"));
      line.handle = static_cast<int>(reader.Int("handle", 0, kMostInt));
      break;
    }
    case HostLine::Type::kRun:
      line.calls = static_cast<int>(reader.Int("calls", 1, kMostInt));
      line.handle = static_cast<int>(reader.Int("handle", 0, kMostInt));
      break;
    case HostLine::Type::kDrop:
      line.handle = static_cast<int>(reader.Int("handle", 0, kMostInt));
      break;
    case HostLine::Type::kClose:
      break;
  }
  reader.Finish();
  return line;
}

AgentLine ParseAgentLine(const std::string& text) {
  const JsonDocument document = JsonDocument::Parse(text, "line of the agent");
  ObjectReader reader(document);
  AgentLine line;
  line.type = static_cast<AgentLine::Type>(TypeOf(reader, kAgentTypes));
  switch (line.type) {
    case AgentLine::Type::kHello:
      ReadHello(reader, line);
      break;
    case AgentLine::Type::kProgress:
      line.done = static_cast<int>(reader.Int("done", 0, kMostInt));
      line.total = static_cast<int>(reader.Int("total", 0, kMostInt));
      line.id = reader.String("id");
      line.seconds_left = reader.Number("seconds_left");
      break;
    case AgentLine::Type::kResult:
      line.result = ReadResult(document);
      CheckResult(line.result);
      return line;
    case AgentLine::Type::kReport:
      line.report = ReadReport(reader);
      break;
    case AgentLine::Type::kRan:
      line.ms = reader.Number("ms");
      if (!(line.ms > 0)) reader.Fail("ms", "a time has to be above 0 ms");
      break;
    case AgentLine::Type::kError:
      line.id = reader.String("id");
      line.code = reader.Choice("code", {"unsupported", "memory", "malformed", "unstable", "internal"});
      line.message = reader.String("message");
      break;
    case AgentLine::Type::kPrepared:
    case AgentLine::Type::kBye:
      break;
  }
  reader.Finish();
  return line;
}

}  // namespace nas
