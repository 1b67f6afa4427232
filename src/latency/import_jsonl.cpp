// SPDX-License-Identifier: Apache-2.0
// `nets-jsonl`: whole networks with one latency each, as once-for-all codes or as lists of blocks.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "import_rules.h"
#include "importers.h"
#include "nas/core/error.h"
#include "nas/core/json.h"
#include "nas/core/text.h"
#include "ofa_code.h"

namespace nas {
namespace {

constexpr int kMostSide = 1 << 14;
constexpr int kMostChannels = 1 << 20;

/// One line of the file.
class Line {
 public:
  Line(const Json& json, std::string where) : json_(json), where_(std::move(where)) {}

  const std::string& where() const { return where_; }
  const Json& json() const { return json_; }
  bool Has(const std::string& field) const { return json_.contains(field) && !json_[field].is_null(); }

  const Json& Need(const std::string& field) const {
    if (!Has(field)) ThrowAt(where_, StrCat("no field \"", field, "\""));
    return json_[field];
  }
  int Whole(const std::string& field, int low, int high) const { return Whole(field, Need(field), low, high); }
  int Whole(const std::string& field, const Json& value, int low, int high) const {
    if (!value.is_number_integer() || value < low || value > high) {
      ThrowAt(where_, StrCat(field, " ", value.dump(), " is not a whole number from ", low, " to ", high));
    }
    return value.get<int>();
  }
  std::vector<int> Wholes(const std::string& field, size_t size, int low, int high) const {
    const Json& list = Need(field);
    if (!list.is_array() || list.size() != size)
      ThrowAt(where_, StrCat(field, " is not a list of ", size, " whole numbers"));
    std::vector<int> values;
    for (const auto& value : list) values.push_back(Whole(field, value, low, high));
    return values;
  }
  std::string Text(const std::string& field, const std::string& fallback) const {
    if (!Has(field)) return fallback;
    if (!json_[field].is_string()) ThrowAt(where_, StrCat(field, " ", json_[field].dump(), " is not a text"));
    return json_[field].get<std::string>();
  }
  double Latency(const std::string& field, double ms_per_unit) const {
    const Json& value = Need(field);
    if (!value.is_number()) ThrowAt(where_, StrCat(field, " ", value.dump(), " is not a number"));
    return CheckLatency(where_, field, value.get<double>(), ms_per_unit);
  }

 private:
  const Json& json_;
  std::string where_;
};

std::vector<std::string> LatencyFields(const Line& line) {
  std::vector<std::string> fields;
  for (const auto& item : line.json().items()) {
    if (EndsWith(item.key(), "_ms")) fields.push_back(item.key());
  }
  return fields;
}

std::string ChooseColumn(const Line& line, const ImportOptions& options) {
  const std::vector<std::string> fields = LatencyFields(line);
  if (!options.column.empty()) {
    if (!line.Has(options.column)) {
      ThrowAt(line.where(), StrCat("no field \"", options.column, "\"", DidYouMean(options.column, fields)));
    }
    return options.column;
  }
  if (fields.empty()) ThrowAt(line.where(), "no field ends in \"_ms\"; name the latency with --column");
  if (fields.size() > 1)
    ThrowUsage(StrCat(line.where(), ": several latencies (", Join(fields, ", "), "); choose one with --column"));
  return fields[0];
}

void CheckFields(const Line& line, std::vector<std::string> known, const ImportOptions& options) {
  for (const auto& field : LatencyFields(line)) known.push_back(field);
  for (const auto& item : line.json().items()) CheckKnownField(line.where(), "field", item.key(), known, options);
}

int Resolution(const Line& line, const std::string& field, const ImportOptions& options) {
  if (!line.Has(field) && options.resolution > 0) return options.resolution;
  return line.Whole(field, 1, kMostSide);
}

std::vector<BlockKey> OfaLine(const Line& line, const ImportOptions& options, ImportedNet* net) {
  CheckFields(line, {"ks", "e", "d", "r", "name"}, options);
  if (!(options.width > 0))
    ThrowUsage(StrCat(line.where(), ": a network code needs the width multiplier: --width 1.2"));
  if (options.batch < 1) ThrowUsage(StrCat(line.where(), ": a network code needs the images per call: --batch 64"));
  OfaCode code;
  code.ks = line.Wholes("ks", 20, 1, 31);
  code.e = line.Wholes("e", 20, 1, 64);
  code.d = line.Wholes("d", 5, 0, 4);
  code.resolution = Resolution(line, "r", options);
  net->resolution = code.resolution;
  return OfaKeys(code, options.width);
}

BlockKey ListedBlock(const Line& line, const Json& block) {
  if (!block.is_array() || block.size() != 10) {
    ThrowAt(line.where(), StrCat("block ", block.dump(), " is not [h, cin, hout, cout, mid, k, s, skip, se, act]"));
  }
  BlockKey key;
  key.h = line.Whole("h", block[0], 1, kMostSide);
  key.cin = line.Whole("cin", block[1], 1, kMostChannels);
  key.hout = line.Whole("hout", block[2], 1, kMostSide);
  key.cout = line.Whole("cout", block[3], 1, kMostChannels);
  key.mid = line.Whole("mid", block[4], 1, kMostChannels);
  key.k = line.Whole("k", block[5], 1, 31);
  key.s = line.Whole("s", block[6], 1, 4);
  key.skip = line.Whole("skip", block[7], 0, 1) == 1;
  key.se = line.Whole("se", block[8], 0, 1) == 1;
  if (!block[9].is_string()) ThrowAt(line.where(), StrCat("act ", block[9].dump(), " is not a text"));
  try {
    key.act = ParseBlockAct(block[9].get<std::string>());
  } catch (const Error& error) {
    ThrowAt(line.where(), error.what());
  }
  return key;
}

std::vector<BlockKey> BlocksLine(const Line& line, const ImportOptions& options, ImportedNet* net) {
  CheckFields(line,
              {"device", "runtime", "batch", "resolution", "family", "first_conv", "final_expand", "feature_mix",
               "blocks", "source", "name", "top1"},
              options);
  net->resolution = Resolution(line, "resolution", options);
  std::vector<BlockKey> keys = {StemKey(net->resolution, line.Whole("first_conv", 1, kMostChannels))};
  const Json& blocks = line.Need("blocks");
  if (!blocks.is_array() || blocks.empty()) ThrowAt(line.where(), "\"blocks\" is not a list of blocks");
  for (const auto& block : blocks) {
    const BlockKey key = ListedBlock(line, block);
    if (key.h != keys.back().hout || key.cin != keys.back().cout) {
      ThrowAt(line.where(),
              StrCat("block ", keys.size(), " takes ", key.h, "x", key.h, "x", key.cin, ", but the one before gives ",
                     keys.back().hout, "x", keys.back().hout, "x", keys.back().cout));
    }
    keys.push_back(key);
  }
  const int final_expand = line.Has("final_expand") ? line.Whole("final_expand", 1, kMostChannels) : 0;
  const int feature_mix = line.Whole("feature_mix", 1, kMostChannels);
  const BlockKey last = keys.back();
  for (const auto& key : PublishedHead(last.hout, last.cout, final_expand, feature_mix)) keys.push_back(key);
  return keys;
}

void KeepBatch(const Line& line, int batch, ImportedData* data) {
  if (data->batch != 0 && data->batch != batch) {
    ThrowAt(line.where(),
            StrCat("batch ", batch, ", but ", data->batch, " before: another batch is another device; split the file"));
  }
  data->batch = batch;
}

class JsonlImporter : public Importer {
 public:
  std::string_view name() const override { return "nets-jsonl"; }

  ImportedData Import(const std::string& text, const std::string& source_name,
                      const ImportOptions& options) const override {
    ImportedData data;
    SourceFilter filter(options);
    std::set<std::string> names;
    const std::vector<std::string> lines = Split(text, '\n');
    int record = 0;
    for (size_t i = 0; i < lines.size(); ++i) {
      if (Trim(lines[i]).empty()) continue;
      ++record;
      const bool last = std::all_of(lines.begin() + static_cast<std::ptrdiff_t>(i) + 1, lines.end(),
                                    [](const std::string& rest) { return Trim(rest).empty(); });
      ReadLine(lines[i], StrCat(source_name, ":", i + 1), record, last, options, &filter, &names, &data);
    }
    filter.Finish(source_name, &data);
    if (data.nets.empty()) ThrowInput(StrCat(source_name, ": no networks"));
    return data;
  }

 private:
  static void ReadLine(const std::string& text, const std::string& where, int record, bool last,
                       const ImportOptions& options, SourceFilter* filter, std::set<std::string>* names,
                       ImportedData* data) {
    const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded() || !json.is_object()) {
      if (last) ThrowAt(where, StrCat("ends inside record ", record, "; the file is cut off, get it again"));
      ThrowAt(where, "not a JSON object; one network per line is expected");
    }
    const Line line(json, where);
    const bool code = json.contains("ks");
    if (!filter->Accept(line.Text("device", ""), line.Text("runtime", ""))) return;
    ImportedNet net;
    net.where = where;
    net.keys = code ? OfaLine(line, options, &net) : BlocksLine(line, options, &net);
    for (const auto& key : net.keys) CheckImportedKey(where, key);
    net.ms = line.Latency(ChooseColumn(line, options), options.ms_per_unit);
    KeepBatch(line, code ? options.batch : line.Whole("batch", 1, 1 << 20), data);
    net.name = line.Text("name", line.Text("source", StrCat("net-",
                                                            std::string(record < 10     ? 3
                                                                        : record < 100  ? 2
                                                                        : record < 1000 ? 1
                                                                                        : 0,
                                                                        '0'),
                                                            record)));
    if (!names->insert(net.name).second) net.name += StrCat(" #", record);
    data->nets.push_back(std::move(net));
  }
};

}  // namespace

const Importer& NetsJsonlImporter() {
  static const JsonlImporter importer;
  return importer;
}

}  // namespace nas
