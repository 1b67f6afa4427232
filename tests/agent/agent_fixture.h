// SPDX-License-Identifier: Apache-2.0
// What the tests of the agent share: the built program, small items, a protocol that takes no time.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/device/agent_engine.h"

namespace nas::test {

inline std::string AgentProgram() { return std::string(NAS_BINARY_DIR) + "/bin/nas-agent"; }

inline MeasureItem SmallBlock() {
  MeasureItem item;
  item.id = "block mbconv:8,8,8,8,16,3,1,1,0,relu6";
  item.kind = MeasureItem::Kind::kBlock;
  item.keys = {"conv:16,3,8,8,0,0,0,0,0,-", "mbconv:8,8,8,8,16,3,1,1,0,relu6", "logits:8,8,1,10,0,0,0,0,0,-"};
  item.timed = 1;
  item.resolution = 16;
  return item;
}

inline MeasureItem SmallNet(const std::string& name = "small", int mid = 16) {
  MeasureItem item = SmallBlock();
  item.id = "net " + name;
  item.kind = MeasureItem::Kind::kNet;
  item.keys[1] = StrCat("mbconv:8,8,8,8,", mid, ",3,1,1,0,relu6");
  item.timed = 0;
  return item;
}

inline std::vector<MeasureItem> SmallNets(int n) {
  std::vector<MeasureItem> items;
  for (int i = 0; i < n; ++i) items.push_back(SmallNet(std::to_string(i), 16 + 8 * i));
  return items;
}

/// The least that the protocol can be asked for.
inline ProtocolOptions ShortProtocol() {
  ProtocolOptions options;
  options.warmup_min_seconds = 0.002;
  options.warmup_max_seconds = 0.01;
  options.min_seconds = 0.005;
  options.max_seconds = 0.03;
  options.min_sample_ms = 0.1;
  options.settle_seconds = 0.01;
  options.reference_seconds = 0.005;
  options.rotate_bytes = 1 << 16;
  options.max_pauses = 0;  // whatever else runs on the machine that tests
  options.allow_noisy = true;
  return options;
}

inline EngineOptions LocalOptions() {
  EngineOptions options;
  options.agent.program = AgentProgram();
  options.agent.silence_seconds = 60;
  return options;
}

/// An executable file.
inline std::string WriteScript(const std::filesystem::path& path, const std::string& text) {
  WriteFileAtomic(path, text);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path.string();
}

/// Lines of a shell script: the agent, cut off after some results.
inline std::string DiesAfter(int results) {
  return StrCat(
      AgentProgram(),
      " | { n=0; while IFS= read -r line; do printf '%s\\n' \"$line\"; case $line in *'\"type\":\"result\"'*) ",
      "n=$((n + 1)); [ $n -eq ", results, " ] && exit ;; esac; done; }\n");
}

struct Outcome {
  MeasuringReport report;
  std::map<std::string, ItemResult> results;
};

inline Outcome MeasureAll(Engine& engine, const std::vector<MeasureItem>& items,
                          const std::set<std::string>& done = {}) {
  Outcome outcome;
  MeasuringHooks hooks;
  hooks.on_result = [&](const ItemResult& result) { outcome.results[result.id] = result; };
  outcome.report = MeasuringRun(engine, ShortProtocol(), SmallNet("reference")).Measure(items, done, hooks);
  return outcome;
}

}  // namespace nas::test
