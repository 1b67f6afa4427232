// SPDX-License-Identifier: Apache-2.0
// The line protocol `nas.agent/1` between `nas` and `nas-agent` (latency.md §8): one JSON object per line, each with a
// `type`. Host: open, measure, item (as many as `measure` said), prepare, run, drop, close. Agent: hello, progress,
// result, report, prepared, ran, error, bye. Both programs read and write lines with the functions below only.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "nas/device/engine.h"
#include "nas/device/item_result.h"
#include "nas/device/measuring_run.h"
#include "nas/device/protocol.h"

namespace nas {

inline constexpr const char* kAgentSchema = "nas.agent/1";

/// What the host asks first.
struct AgentOpen {
  std::string engine;  ///< "plain", "xnnpack", "simulated"
  EngineOptions options;
};

/// A whole measuring run by the protocol of latency.md §9, done by the agent itself.
struct AgentMeasure {
  ProtocolOptions protocol;
  MeasureItem reference;
  std::vector<MeasureItem> items;
  std::set<std::string> done;  ///< ids of items that have a result already
};

/// One line from the host.
struct HostLine {
  enum class Type { kOpen, kMeasure, kItem, kPrepare, kRun, kDrop, kClose };
  Type type = Type::kClose;
  AgentOpen open;        ///< kOpen
  AgentMeasure measure;  ///< kMeasure, without its items
  int items = 0;         ///< kMeasure: item lines that follow
  MeasureItem item;      ///< kItem, kPrepare
  RunLayout layout;      ///< kPrepare
  int handle = 0;        ///< kPrepare, kRun, kDrop: the host's number for a prepared item
  int calls = 0;         ///< kRun
};

/// One line from the agent.
struct AgentLine {
  enum class Type { kHello, kProgress, kResult, kReport, kPrepared, kRan, kError, kBye };
  Type type = Type::kBye;
  // kHello; identity and recorded are JSON objects as text, checked by whoever uses them.
  std::string schema, version, hash;
  std::string identity, recorded;
  std::int64_t cache_bytes = 0;
  double temperature = -1;  ///< °C, negative = unknown
  double megahertz = 0;     ///< 0 = unknown
  // kProgress; also sent during long pauses, as a sign of life.
  int done = 0, total = 0;
  double seconds_left = -1;
  std::string id;          ///< kProgress, kError: of an item; "" = none
  ItemResult result;       ///< kResult
  MeasuringReport report;  ///< kReport
  double ms = 0;           ///< kRan: per call
  // kError: unsupported, memory, malformed, unstable or internal.
  std::string code, message;
};

std::string ToText(const AgentOpen& open);
/// The `measure` line and its item lines.
std::vector<std::string> ToTexts(const AgentMeasure& measure);
std::string PrepareText(int handle, const MeasureItem& item, const RunLayout& layout);
std::string RunText(int handle, int calls);
std::string DropText(int handle);
std::string CloseText();
std::string ToText(const AgentLine& line);

/// Both throw kInput saying what is wrong with the line: no JSON, an unknown type, a missing or unknown key, a time
/// that is none.
HostLine ParseHostLine(const std::string& text);
AgentLine ParseAgentLine(const std::string& text);

}  // namespace nas
