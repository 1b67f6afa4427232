// SPDX-License-Identifier: Apache-2.0
// Rows and networks of a table in the formats that the importers read.
#include <nlohmann/json.hpp>

#include "csv_reader.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/latency/import_table.h"
#include "ofa_code.h"

namespace nas {
namespace {

/// Shortest decimal that reads back to the same bits.
std::string Exact(double value) { return Json(value).dump(); }

std::string Field(const std::optional<double>& value) { return value ? Exact(*value) : ""; }

/// Stem, mbconvs and a published head, or kInput.
Json NetToJson(const LatencyTable& table, const LatencyNet& net) {
  std::vector<BlockKey> keys;
  for (const auto& text : net.keys) keys.push_back(ParseBlockKey(text));
  Json json = Json::object();
  json["device"] = table.identity.model;
  json["batch"] = table.identity.batch;
  json["reported_ms"] = net.stats.Value();
  json["resolution"] = net.resolution;
  json["name"] = net.name;
  Json blocks = Json::array();
  std::vector<BlockKey> head;
  for (size_t i = 1; i < keys.size(); ++i) {
    const BlockKey& k = keys[i];
    if (k.op != BlockOp::kMbconv) {
      head.push_back(k);
    } else {
      blocks.push_back(
          Json::array({k.h, k.cin, k.hout, k.cout, k.mid, k.k, k.s, k.skip ? 1 : 0, k.se ? 1 : 0, ToString(k.act)}));
    }
  }
  const bool expanded = head.size() == 4;
  const int final_expand = expanded ? head[0].cout : 0;
  const int feature_mix = head.empty() ? 0 : expanded ? head[2].cout : head[0].cout;
  const bool plain = keys.size() > 1 && keys[0] == StemKey(net.resolution, keys[0].cout) && !head.empty() &&
                     head == PublishedHead(head[0].h, head[0].cin, final_expand, feature_mix);
  if (!plain)
    ThrowInput(StrCat("network \"", net.name, "\" has layers that nets-jsonl cannot hold; keep the table itself"));
  json["family"] = expanded ? "MobileNetV3" : "ProxylessNASNets";
  json["first_conv"] = keys[0].cout;
  json["final_expand"] = expanded ? Json(final_expand) : Json(nullptr);
  json["feature_mix"] = feature_mix;
  json["blocks"] = blocks;
  return json;
}

}  // namespace

std::string ExportCsv(const LatencyTable& table) {
  std::string text =
      "device,runtime,op,h_in,c_in,h_out,c_out,mid,kernel,stride,skip,se,act,mean_ms,std_ms,count,source\n";
  for (const auto& row : table.rows) {
    const BlockKey k = ParseBlockKey(row.key);
    const std::string act = k.act == BlockAct::kNone ? "" : std::string(ToString(k.act));
    text += StrCat(CsvField(table.identity.model), ",", CsvField(table.identity.engine), ",", ToString(k.op), ",", k.h,
                   ",", k.cin, ",", k.hout, ",", k.cout, ",", k.mid, ",", k.k, ",", k.s, ",", k.skip ? 1 : 0, ",",
                   k.se ? 1 : 0, ",", act, ",", Exact(row.stats.Value()), ",", Field(row.stats.std), ",",
                   row.stats.n > 0 ? std::to_string(row.stats.n) : "", ",",
                   CsvField(StrCat(table.name, " run ", row.run)), "\n");
  }
  return text;
}

std::string ExportNetsJsonl(const LatencyTable& table) {
  std::string text;
  for (const auto& net : table.nets) text += NetToJson(table, net).dump() + "\n";
  return text;
}

}  // namespace nas
