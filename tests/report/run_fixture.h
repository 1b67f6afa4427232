// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/latency/cost_table.h"
#include "nas/report/run_record.h"
#include "nas/space/search_space.h"

namespace nas::test {

inline const std::vector<std::string>& SpaceDirs() {
  static const std::vector<std::string> dirs{std::string(NAS_SOURCE_DIR) + "/search_spaces"};
  return dirs;
}

struct FakeRun {
  int epochs = 6;
  bool finished = true;
  bool prune = true;        ///< drop op 5 of edge 0 after epoch 3
  bool constrained = true;  ///< the result takes another op than the most probable one on edge 1
  bool phone = true;        ///< a second target with a latency table
  std::string strategy = "two";
  std::string data = "demo";
};

/// A run folder on space `tiny` as a search writes it. Alphas of edge e, op i after epoch n: n·0.3·cos(1 + e + 2i).
inline void WriteRun(const std::filesystem::path& path, const FakeRun& fake = {}) {
  const SearchSpace space = SearchSpace::Load("tiny", {}, SpaceDirs());
  const CostTable macs = MacsCostTable(space);
  const auto write = [&](const std::string& name, const Json& json) { WriteFileAtomic(path / name, PrettyDump(json)); };
  MakeDirectory(path / "targets" / "macs-40pct");
  Json targets = {{{"target", "macs=40%"},
                   {"folder", "macs-40pct"},
                   {"unit", "macs"},
                   {"budget", 1000000.0},
                   {"range", {macs.MinCost(), macs.MaxCost()}}}};
  if (fake.phone) {
    MakeDirectory(path / "targets" / "note10-50pct");
    const std::string table = ReadFile(std::string(NAS_SOURCE_DIR) + "/latency_tables/note10-tflite-cpu.json");
    WriteFileAtomic(path / "targets" / "note10-50pct" / "table.json", table);
    targets.push_back(
        {{"target", "note10=50%"}, {"folder", "note10-50pct"}, {"unit", "ms"}, {"budget", 2.0}, {"range", {1.0, 3.0}}});
  }
  write("env.json",
        {{"schema", "nas.env/1"}, {"started", "2026-11-24T09:19:02Z"}, {"machine", {{"cpu", "Test"}, {"cores", 2}}}});
  write("config.json", {{"schema", "nas.search.config/1"},
                        {"options",
                         {{"target", {"macs=40%"}},
                          {"space", "tiny"},
                          {"data", fake.data},
                          {"epochs", fake.epochs},
                          {"strategy", fake.strategy},
                          {"prune", true},
                          {"seed", 7}}},
                        {"schedule", {{"epochs", 6}}},
                        {"space", {{"name", "tiny"}, {"resolution", 32}, {"classes", 10}}},
                        {"targets", targets}});
  std::string metrics = R"({"event":"start","t":1000.5,"epoch":0,"step":0})"
                        "\n";
  for (int epoch = 1; epoch <= fake.epochs; ++epoch) {
    Json line{{"event", "epoch"},
              {"t", 1000.5 + epoch},
              {"epoch", epoch},
              {"step", 10 * epoch},
              {"phase", epoch == 1 ? "warm-up" : "search"},
              {"loss", 2.3 - 0.1 * epoch},
              {"accuracy", 0.1 * epoch},
              {"lr", 0.05},
              {"images_per_s", 100.0},
              {"targets", Json::array()}};
    for (std::size_t t = 0; t < targets.size(); ++t) {
      Json alpha = Json::array();
      for (std::size_t e = 0; e < space.edges().size(); ++e) {
        Json row = Json::array();
        for (int op = 0; op < space.edges()[e].size(); ++op)
          row.push_back(0.3 * epoch * std::cos(1.0 + static_cast<double>(e) + 2.0 * op));
        alpha.push_back(row);
      }
      const double scale = targets[t]["unit"] == "ms" ? 1.5 : 900000;
      line["targets"].push_back({{"target", targets[t]["target"]},
                                 {"expected", scale * 1.1},
                                 {"argmax", scale},
                                 {"lambda", 0.1},
                                 {"entropy", 7.0},
                                 {"alpha", alpha}});
    }
    metrics += line.dump() + "\n";
    if (epoch == 1) continue;
    metrics += Json{{"event", "arch-validation"}, {"t", 1000.7 + epoch},      {"epoch", epoch},
                    {"step", 10 * epoch},         {"target", "macs=40%"},     {"code", "00000"},
                    {"predicted", 587776.0},      {"accuracy", 0.08 * epoch}, {"loss", 2.0}}
                   .dump() +
               "\n";
    if (epoch == 3 && fake.prune)
      metrics += R"({"event":"prune","t":1003.9,"epoch":3,"step":30,"edge":0,"op":5,"p":0.001,"left":6,"bytes":4096})"
                 "\n";
  }
  if (fake.finished) {
    metrics += R"({"event":"end","t":1010,"exit":0})"
               "\n";
    const Architecture network = space.Build(space.Decode(fake.constrained ? "00000" : "10120"));
    Json result{{"schema", "nas.search/1"}, {"run", path.string()}, {"wall_s", 12.5}, {"targets", Json::array()}};
    for (const Json& target : targets) {
      result["targets"].push_back(
          {{"target", "macs"},
           {"folder", target["folder"]},
           {"unit", target["unit"]},
           {"asked", target["budget"]},
           {"predicted", target["unit"] == "ms" ? 1.4 : static_cast<double>(CountMacs(network).value)},
           {"interval", nullptr},
           {"measured", nullptr},
           {"met", true},
           {"expected", 1.0},
           {"argmax", {{"predicted", 1.0}, {"log_prob", -3.0}}},
           {"selected", {{"log_prob", -4.0}, {"code", network.code}}},
           {"macs", CountMacs(network).value},
           {"params", CountParams(network)},
           {"accuracy", {{"top1", 0.5}, {"top5", 0.9}, {"images", 1000}}},
           {"arch", ToJson(network)}});
    }
    result["ranking"] = {{"verdict", "too small"}, {"text", "too small: train longer"}};
    write("result.json", result);
  }
  WriteFileAtomic(path / "metrics.jsonl", metrics);
}

}  // namespace nas::test
