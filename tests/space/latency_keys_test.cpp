// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/space/op_catalogue.h"
#include "test_support.h"

using namespace nas;

namespace {

/// Rows of a measured table by block key; `act` is empty for head pieces.
std::map<std::string, double> MeasuredRows(const std::string& file) {
  std::map<std::string, double> rows;
  const std::vector<std::string> lines = Split(ReadFile(file), '\n');
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> cells = Split(Trim(lines[i]), ',');
    if (cells.size() < 14) continue;
    std::string key = cells[2] + ":";
    for (std::size_t c = 3; c < 12; ++c) key += cells[c] + ",";
    key += cells[12].empty() ? "-" : cells[12];
    rows[key] = std::stod(cells[13]);
  }
  return rows;
}

std::string DataFile(const std::string& name) {
  const std::string nets = PublishedNets();
  return nets.empty() ? "" : (std::filesystem::path(nets).parent_path() / "latency" / name).string();
}

}  // namespace

TEST_CASE("keys of the default space") {
  const SearchSpace space = ShippedSpace("proxyless-mobile");
  const std::vector<std::string> keys = LatencyKeys(space.Build(Choice(21, 3)));
  CHECK(keys[0] == "conv:224,3,112,32,0,0,0,0,0,-");
  CHECK(keys[1] == "mbconv:112,32,112,16,32,3,1,0,0,relu6");
  CHECK(keys[2] == "mbconv:112,16,56,24,96,5,2,0,0,relu6");
  CHECK(keys[3] == "mbconv:56,24,56,24,144,5,1,1,0,relu6");
  CHECK(keys[23] == "conv_1:7,320,7,1280,0,0,0,0,0,-");
  CHECK(keys[24].empty());
  CHECK(keys[25] == "logits:7,1280,1,1000,0,0,0,0,0,-");
}

TEST_CASE("Zero has no key; the strided identity of macro-cifar is conv1x1") {
  const SearchSpace space = ShippedSpace("macro-cifar");
  const std::vector<std::string> keys = LatencyKeys(space.Build(Choice(8, 0)));
  CHECK(keys[0] == "conv:32,3,32,32,0,0,0,0,0,-");
  CHECK(keys[1] == "conv1x1:32,32,16,64,0,0,2,0,0,-");
  CHECK(keys[2].empty());
  CHECK(keys[9] == "conv_1:4,256,4,1280,0,0,0,0,0,-");
}

TEST_CASE("odd maps shrink by the rule of strided convs") {
  SpaceOptions options;
  options.resolution = 188;
  const SearchSpace space = ShippedSpace("proxyless-mobile", options);
  const std::vector<std::string> keys = LatencyKeys(space.Build(Choice(21, 0)));
  CHECK(keys[0] == "conv:188,3,94,32,0,0,0,0,0,-");
  CHECK(keys[6] == "mbconv:47,24,24,40,72,3,2,0,0,relu6");
  CHECK(keys[10] == "mbconv:24,40,12,80,120,3,2,0,0,relu6");
}

TEST_CASE("networks that no table covers are refused by name") {
  Architecture net;
  Layer layer;
  layer.name = "input_stem.0";
  layer.op = "conv";
  layer.in_channels = 3;
  layer.out_channels = 64;
  layer.kernel = 7;
  layer.stride = 2;
  net.layers = {layer};
  CHECK(Contains(InputError([&] { LatencyKeys(net); }), "no latency model for conv7x7 s2"));
}

TEST_CASE("every candidate and fixed layer of the default space stands in the Pixel 1 table") {
  const std::string file = DataFile("pixel1_blocks.csv");
  if (file.empty()) return;
  const std::map<std::string, double> rows = MeasuredRows(file);
  const SearchSpace space = ShippedSpace("proxyless-mobile");
  std::set<std::string> used;
  const std::vector<std::string> base = LatencyKeys(space.base());
  double fixed = 0;
  for (std::size_t i = 0; i < base.size(); ++i) {
    if (base[i].empty() || space.IsSearched(static_cast<int>(i))) continue;
    REQUIRE(rows.contains(base[i]));
    fixed += rows.at(base[i]);
    used.insert(base[i]);
  }
  CHECK(fixed == Approx(11.364156).margin(1e-6));
  double uniform = fixed, k3e3 = fixed, k3e6 = fixed, k7e6 = fixed, least = fixed;
  for (const Edge& edge : space.edges()) {
    std::vector<double> ms;
    for (const Layer& candidate : edge.candidates) {
      const std::string key = FindOp(candidate.op).LatencyKey(candidate, edge.in);
      if (!key.empty()) {
        REQUIRE(rows.contains(key));
        used.insert(key);
      }
      ms.push_back(key.empty() ? 0 : rows.at(key));
      uniform += ms.back() / edge.size();
    }
    k3e3 += ms[0];
    k3e6 += ms[1];
    k7e6 += ms[5];
    least += edge.skip_op >= 0 ? ms[edge.skip_op] : ms[0];
  }
  CHECK(uniform == Approx(113.988129).margin(1e-6));
  CHECK(k3e3 == Approx(76.048099).margin(1e-6));
  CHECK(k3e6 == Approx(136.466266).margin(1e-6));
  CHECK(k7e6 == Approx(191.029871).margin(1e-6));
  CHECK(least == Approx(29.608776).margin(1e-6));
}

TEST_CASE("published OFA networks give the keys of the published block lists") {
  const std::string file = DataFile("ofa_whole_nets.jsonl");
  if (file.empty()) return;
  std::map<std::string, Json> published;
  for (const std::string& line : Split(ReadFile(file), '\n')) {
    if (Trim(line).empty()) continue;
    const JsonDocument row = JsonDocument::Parse(line, file);
    published[row.root().at("source").get<std::string>()] = row.root();
  }
  int compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PublishedNets())) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || !name.starts_with("ofa_")) continue;
    const auto row = published.find(name.substr(4));
    if (row == published.end()) continue;
    CAPTURE(name);
    ++compared;
    const Architecture net = LoadArchitecture(entry.path().string());
    CHECK(net.resolution == row->second.at("resolution").get<int>());
    const std::vector<std::string> keys = LatencyKeys(net);
    std::size_t next = 1;
    for (const Json& block : row->second.at("blocks")) {
      std::string key = "mbconv:";
      for (std::size_t i = 0; i < 9; ++i) key += block[i].dump() + ",";
      std::string act = block[9].get<std::string>();
      if (act == "h_swish") act = "hswish";
      while (keys[next].empty()) ++next;  // Zero blocks are not in the list
      CHECK(keys[next++] == key + act);
    }
    const bool v3 = net.family == Family::kMobileNetV3;
    std::vector<std::string> head(keys.begin() + static_cast<std::ptrdiff_t>(next), keys.end());
    std::erase(head, "");
    std::vector<std::string> ops;
    for (const std::string& key : head) ops.push_back(key.substr(0, key.find(':')));
    CHECK(ops == (v3 ? std::vector<std::string>{"conv_1", "avgpool2d", "conv_2", "logits"}
                     : std::vector<std::string>{"conv_1", "logits"}));
  }
  CHECK(compared >= 3);
}
