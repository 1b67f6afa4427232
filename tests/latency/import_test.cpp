// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "latency_data.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/latency/latency_model.h"

using namespace nas;
using namespace nas::testing;
using Catch::Matchers::Contains;

namespace {

const std::string kHeader =
    "device,runtime,op,h_in,c_in,h_out,c_out,mid,kernel,stride,skip,se,act,mean_ms,std_ms,count,source\n";
const std::string kRow = "phone,tflite,mbconv,56,24,28,40,144,5,2,0,0,relu6,1.5,0.02,100,run\n";

/// The message with which an import is refused, "accepted" otherwise.
std::string Refusal(const char* format, const std::string& text, const ImportOptions& options = {},
                    ErrorKind kind = ErrorKind::kInput) {
  try {
    FindImporter(format).Import(text, "file", options);
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return error.what();
  }
  return "accepted";
}

std::string CsvWith(const std::string& from, const std::string& to) {
  std::string text = kHeader + kRow;
  const size_t at = text.find(from, from.find("_") == std::string::npos ? kHeader.size() : 0);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

ImportedData RowsOf(const std::string& csv) { return FindImporter("csv").Import(kHeader + csv, "file", {}); }

/// CSV of many plausible mbconv rows.
std::string PlausibleCsv(double factor) {
  LatencyTable table;
  for (const auto& row : MadeUpRows(factor)) {
    LatencyRow& out = table.rows.emplace_back();
    out.key = ToString(row.key);
    out.stats.mean = row.ms;
  }
  return ExportCsv(table);
}

}  // namespace

TEST_CASE("csv: columns in any order, CRLF, quotes, empty deviation and count") {
  const ImportedData data = FindImporter("csv").Import(
      "source,op,mean_ms,h_in,c_in,h_out,c_out,mid,kernel,stride,skip,se,act\r\n"
      "\"a, \"\"b\"\"\",mbconv,1.5,56,24,28,40,144,5,2,0,0,h_swish\r\n"
      "x,conv_1,0.5,7,320,7,1280,0,0,0,0,0,\r\n",
      "file", {});
  REQUIRE(data.rows.size() == 2);
  CHECK(ToString(data.rows[0].key) == "mbconv:56,24,28,40,144,5,2,0,0,hswish");
  CHECK(data.rows[0].source == "a, \"b\"");
  CHECK_FALSE(data.rows[0].std_ms.has_value());
  CHECK(data.rows[0].count == 0);
  CHECK(data.rows[1].where == "file:3");
}

TEST_CASE("csv: every kind of bad input names file, line, column, value and remedy") {
  for (const char* bad : {"-1.5", "0", "nan", "inf", "abc", ""}) {
    const std::string message = Refusal("csv", CsvWith(",1.5,", StrCat(",", bad, ",")));
    CHECK_THAT(message, Contains("file:2") && Contains("mean_ms"));
  }
  CHECK_THAT(Refusal("csv", CsvWith(",0.02,", ",-0.02,")), Contains("std_ms") && Contains("negative"));
  CHECK_THAT(Refusal("csv", CsvWith(",100,", ",0,")), Contains("count"));
  CHECK_THAT(Refusal("csv", CsvWith(",28,", ",29,")), Contains("expected 28"));
  CHECK_THAT(Refusal("csv", CsvWith(",5,2,0,", ",5,2,1,")), Contains("skip 1 needs"));
  CHECK_THAT(Refusal("csv", CsvWith("mean_ms", "maen_ms")),
             Contains("did you mean \"mean_ms\"") && Contains("--ignore-column maen_ms"));
  CHECK_THAT(Refusal("csv", CsvWith(",mean_ms", "")), Contains("no column \"mean_ms\""));
  CHECK_THAT(Refusal("csv", kHeader + kRow + "phone,tflite,mbconv,56,24"), Contains("ends inside record 2"));
  CHECK_THAT(Refusal("csv", kHeader + "phone,tflite\n" + kRow),
             Contains("file:2") && Contains("2 fields instead of 17"));
  CHECK_THAT(Refusal("csv", kHeader + "\"phone,tflite"), Contains("ends inside record 2"));
  CHECK_THAT(Refusal("csv", ""), Contains("no header"));
  CHECK_THAT(Refusal("csv", kHeader), Contains("no records"));
  ImportOptions ignore;
  ignore.ignore_columns = {"note"};
  const std::string extra = "note," + kHeader + "hi," + kRow;
  CHECK_THAT(Refusal("csv", extra), Contains("unknown column \"note\""));
  CHECK(Refusal("csv", extra, ignore) == "accepted");
}

TEST_CASE("several devices or runtimes in one file need a choice") {
  const std::string other = "board,tflite,mbconv,28,24,14,40,144,5,2,0,0,relu6,2.5,0.02,100,run\n";
  const std::string text = kHeader + kRow + other;
  CHECK_THAT(Refusal("csv", text), Contains("phone, board") && Contains("--device"));
  ImportOptions options;
  options.device = "board";
  CHECK(FindImporter("csv").Import(text, "file", options).rows.size() == 1);
  options.device = "tablet";
  CHECK_THAT(Refusal("csv", text, options), Contains("no device \"tablet\"") && Contains("phone, board"));
}

TEST_CASE("units scale times and deviations") {
  ImportOptions options;
  options.ms_per_unit = MsPerUnit("us");
  const ImportedRow row = FindImporter("csv").Import(kHeader + kRow, "file", options).rows[0];
  CHECK(row.ms == Approx(0.0015));
  CHECK(*row.std_ms == Approx(0.00002));
  const std::string yaml = "Conv-input:224x224x3-output:112x112x32: {count: 9, mean: 4000, var: 250000}\n";
  const ImportedRow conv = FindImporter("proxyless-yaml").Import(yaml, "file", options).rows[0];
  CHECK(conv.ms == Approx(4));
  CHECK(*conv.std_ms == Approx(0.5));
  CHECK_THROWS_AS(MsPerUnit("minutes"), Error);
}

TEST_CASE("yaml: block and flow style, comments and quotes give the same rows") {
  const std::string block =
      "# a table\n"
      "expanded_conv-input:112x112x16-output:56x56x24-expand:3-kernel:5-stride:2-idskip:0:\n"
      "  count: 159   # runs\n"
      "  mean: 7.5\n"
      "  var: 0.04\n"
      "\n"
      "'Logits-input:7x7x1280-output:1000':\n"
      "  count: 982\n"
      "  mean: \"0.31\"\n"
      "  var: 0.0001\n";
  const std::string flow =
      "{expanded_conv-input:112x112x16-output:56x56x24-expand:3-kernel:5-stride:2-idskip:0: {count: 159, mean: 7.5, "
      "var: 0.04},\n"
      " \"Logits-input:7x7x1280-output:1000\": {count: 982, mean: 0.31,\n var: 0.0001}}\n";
  const ImportedData a = FindImporter("proxyless-yaml").Import(block, "file", {});
  const ImportedData b = FindImporter("proxyless-yaml").Import(flow, "file", {});
  REQUIRE(a.rows.size() == 2);
  CHECK(ToString(a.rows[0].key) == "mbconv:112,16,56,24,48,5,2,0,0,relu6");
  CHECK(*a.rows[0].std_ms == Approx(0.2));
  CHECK(ToString(a.rows[1].key) == "logits:7,1280,1,1000,0,0,0,0,0,-");
  for (size_t i = 0; i < 2; ++i) {
    CHECK(a.rows[i].key == b.rows[i].key);
    CHECK(a.rows[i].ms == b.rows[i].ms);
    CHECK(a.rows[i].count == b.rows[i].count);
  }
}

TEST_CASE("yaml: the two meanings of expand are told apart, and each refusal names the other format") {
  const std::string ratio = "expanded_conv-input:56x56x24-output:28x28x40-expand:3-kernel:5-stride:2-idskip:0";
  const std::string absolute =
      "expanded_conv-input:56x56x24-output:28x28x40-expand:72-kernel:5-stride:2-idskip:0-se:1-hs:0";
  const auto with = [](const std::string& key) { return key + ": {count: 5, mean: 1.0}\n"; };
  CHECK(ToString(FindImporter("ofa-yaml").Import(with(absolute), "f", {}).rows[0].key) ==
        "mbconv:56,24,28,40,72,5,2,0,1,relu");
  CHECK(FindImporter("proxyless-yaml").Import(with(ratio), "f", {}).rows[0].key.mid == 72);
  CHECK_THAT(Refusal("proxyless-yaml", with(absolute)), Contains("ofa-yaml"));
  CHECK_THAT(Refusal("ofa-yaml", with(ratio)), Contains("proxyless-yaml"));
  CHECK_THAT(Refusal("proxyless-yaml",
                     with("expanded_conv-input:56x56x24-output:28x28x40-expand:72-kernel:5-stride:2-idskip:0")),
             Contains("no ratio") && Contains("ofa-yaml"));
  CHECK_THAT(
      Refusal("ofa-yaml",
              with("expanded_conv-input:56x56x24-output:28x28x40-expand:3-kernel:5-stride:2-idskip:0-se:0-hs:0")),
      Contains("below the 24 input channels") && Contains("proxyless-yaml"));
}

TEST_CASE("yaml: bad input") {
  const std::string key = "Conv-input:224x224x3-output:112x112x32";
  CHECK_THAT(Refusal("ofa-yaml", key + ":\n  count: 5\n  maen: 4\n"), Contains("no mean"));
  CHECK_THAT(Refusal("ofa-yaml", key + ":\n  count: 5\n  mean: 4\n  vra: 3\n"),
             Contains("unknown value field \"vra\""));
  CHECK_THAT(Refusal("ofa-yaml", key + ":\n  count: 5\n  mean: -4\n"), Contains("file:3") && Contains("mean"));
  CHECK_THAT(Refusal("ofa-yaml", key + ":\n  count: 5\n  mean: 4\n" + key + ":\n  mean: 5\n"),
             Contains("stands twice"));
  CHECK_THAT(Refusal("ofa-yaml", key + ": 4\n"), Contains("not followed by a map"));
  CHECK_THAT(Refusal("ofa-yaml", "- a\n- b\n"), Contains("map of maps"));
  CHECK_THAT(Refusal("ofa-yaml", "Conv-input:224x192x3-output:112x112x32: {mean: 1}\n"), Contains("not square"));
  CHECK_THAT(Refusal("ofa-yaml", "Conv-output:112x112x32: {mean: 1}\n"), Contains("expected TYPE-input"));
  CHECK_THAT(Refusal("ofa-yaml", "Covn-input:224x224x3-output:112x112x32: {mean: 1}\n"),
             Contains("unknown type \"Covn\""));
  // Cut off: in the middle of an entry, behind its last full line, inside a flow map.
  const std::string good = key + ":\n  count: 5\n  mean: 4\n  std: 1\n";
  const std::string next = "Conv_1-input:7x7x320-output:7x7x1280:\n";
  CHECK_THAT(Refusal("ofa-yaml", good + next), Contains("ends inside record 2"));
  CHECK_THAT(Refusal("ofa-yaml", good + next + "  count: 5\n"), Contains("ends inside record 2"));
  CHECK_THAT(Refusal("ofa-yaml", good + next + "  count: 5\n  mea"), Contains("ends inside record 2"));
  CHECK_THAT(Refusal("ofa-yaml", key + ": {count: 5, mean"), Contains("ends inside record 1"));
}

TEST_CASE("jsonl: block lists and network codes") {
  const std::string line =
      R"({"device": "a", "batch": 1, "reported_ms": 10, "resolution": 32, "family": "x", "first_conv": 16, "final_expand": null, )"
      R"("feature_mix": 64, "blocks": [[16, 16, 8, 24, 48, 3, 2, 0, 0, "relu6"]]})";
  const ImportedData data = FindImporter("nets-jsonl").Import(line + "\n", "file", {});
  REQUIRE(data.nets.size() == 1);
  std::vector<std::string> keys;
  for (const auto& key : data.nets[0].keys) keys.push_back(ToString(key));
  CHECK(keys == std::vector<std::string>{"conv:32,3,16,16,0,0,0,0,0,-", "mbconv:16,16,8,24,48,3,2,0,0,relu6",
                                         "conv_1:8,24,8,64,0,0,0,0,0,-", "logits:8,64,1,1000,0,0,0,0,0,-"});
  std::string broken = line;
  CHECK_THAT(Refusal("nets-jsonl", broken.replace(broken.find("[[16, 16"), 8, "[[16, 24")), Contains("takes 16x16x24"));
  CHECK_THAT(Refusal("nets-jsonl", line + "\n" + line.substr(0, 40)), Contains("ends inside record 2"));
  CHECK_THAT(Refusal("nets-jsonl", line.substr(0, 40) + "\n" + line),
             Contains("file:1") && Contains("not a JSON object"));
  std::string unknown = line;
  CHECK_THAT(Refusal("nets-jsonl", unknown.replace(unknown.find("first_conv"), 10, "frist_conv")),
             Contains("did you mean \"first_conv\""));

  const std::string code =
      R"({"ks": [3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3], "e": [3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3], "d": [2,2,2,2,2], "r": 128, )"
      R"("x_ms": 5.0, "y_ms": 6.0})";
  ImportOptions options;
  CHECK_THAT(Refusal("nets-jsonl", code, options, ErrorKind::kUsage), Contains("--width"));
  options.width = 1.2;
  CHECK_THAT(Refusal("nets-jsonl", code, options, ErrorKind::kUsage), Contains("--batch"));
  options.batch = 1;
  CHECK_THAT(Refusal("nets-jsonl", code, options, ErrorKind::kUsage), Contains("x_ms, y_ms") && Contains("--column"));
  options.column = "z_ms";
  CHECK_THAT(Refusal("nets-jsonl", code, options), Contains("no field \"z_ms\""));
  options.column = "y_ms";
  const ImportedNet net = FindImporter("nets-jsonl").Import(code, "file", options).nets.at(0);
  CHECK(net.ms == 6);
  CHECK(net.keys.size() == 1 + 1 + 10 + 4);  // stem, first block, five stages of two, head
  CHECK(ToString(net.keys[1]) == "mbconv:64,24,64,24,24,3,1,1,0,relu");
  CHECK(ToString(net.keys[2]) == "mbconv:64,24,32,32,72,3,2,0,0,relu");
  CHECK(ToString(net.keys[4]) == "mbconv:32,32,16,48,96,3,2,0,1,relu");
}

TEST_CASE("an unknown format names the nearest known one") {
  CHECK_THROWS_WITH(FindImporter("cvs"), Contains("csv"));
  CHECK(BuiltinImporters().size() == 4);
}

TEST_CASE("twins: of one source an error, of two merged by count, far apart an error unless forced") {
  const auto row = [](double ms, double std, int count, const std::string& source) {
    return StrCat("p,r,mbconv,56,24,28,40,144,5,2,0,0,relu6,", ms, ",", std, ",", count, ",", source, "\n");
  };
  CHECK_THROWS_WITH(MergeTwins(RowsOf(row(1, 0.1, 10, "a") + row(1, 0.1, 10, "a")).rows, false),
                    Contains("stands twice") && Contains("file:2"));
  const auto merged = MergeTwins(RowsOf(row(1.0, 0.1, 10, "a") + row(1.06, 0.2, 30, "b")).rows, false);
  REQUIRE(merged.size() == 1);
  CHECK(merged[0].ms == Approx((10 * 1.0 + 30 * 1.06) / 40));
  CHECK(merged[0].count == 40);
  const double mean = merged[0].ms;
  const double variance = (10 * (0.01 + std::pow(1 - mean, 2)) + 30 * (0.04 + std::pow(1.06 - mean, 2))) / 40;
  CHECK(*merged[0].std_ms == Approx(std::sqrt(variance)));
  const auto apart = RowsOf(row(1.0, 0.1, 10, "a") + row(1.2, 0.2, 30, "b")).rows;
  CHECK_THROWS_WITH(MergeTwins(apart, false), Contains("more than 10 % apart") && Contains("--force"));
  CHECK(MergeTwins(apart, true).size() == 1);
}

TEST_CASE("times that cannot be milliseconds are refused with the unit that fits") {
  ImportedData data = FindImporter("csv").Import(PlausibleCsv(1000), "file", {});
  CHECK_THROWS_WITH(CheckPlausible(data, CpuIdentity()),
                    Contains("is implausible on a cpu") && Contains("if µs: --unit us"));
  data = FindImporter("csv").Import(PlausibleCsv(1e-3), "file", {});
  CHECK_THROWS_WITH(CheckPlausible(data, CpuIdentity()), Contains("--unit s"));
  data = FindImporter("csv").Import(PlausibleCsv(1), "file", {});
  CHECK_NOTHROW(CheckPlausible(data, CpuIdentity()));
  data.rows[17].ms *= 1000;
  CHECK_THROWS_WITH(CheckPlausible(data, CpuIdentity()), Contains(data.rows[17].where) && Contains("units are mixed"));
}

TEST_CASE("a row far from the fitted model is a warning, not an error") {
  ImportedData data = FindImporter("csv").Import(PlausibleCsv(1), "file", {});
  data.rows[17].ms *= 5;
  std::vector<std::string> warnings;
  MakeTable(data, {}, &warnings);
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Contains(data.rows[17].where));
}

TEST_CASE("import, export and import again is identity") {
  ImportedData data;
  data.device = "phone";
  data.runtime = "tflite";
  data.rows = MadeUpRows();
  const LatencyTable table = TableOf(data, "t");
  const LatencyTable again = TableOf(FindImporter("csv").Import(ExportCsv(table), "t.csv", {}), "t");
  CHECK(again == table);
}

TEST_CASE("whole networks survive export and import") {
  const std::string line =
      R"({"device": "a", "batch": 1, "reported_ms": 10.25, "resolution": 32, "first_conv": 16, "final_expand": 96, "name": "n", )"
      R"("feature_mix": 64, "blocks": [[16, 16, 8, 24, 48, 3, 2, 0, 1, "hswish"]]})";
  const ImportedData data = FindImporter("nets-jsonl").Import(line, "file", {});
  LatencyTable table;
  table.identity.model = "a";
  LatencyNet& net = table.nets.emplace_back();
  net.name = data.nets[0].name;
  net.resolution = data.nets[0].resolution;
  for (const auto& key : data.nets[0].keys) net.keys.push_back(ToString(key));
  net.stats.mean = data.nets[0].ms;
  const ImportedData again = FindImporter("nets-jsonl").Import(ExportNetsJsonl(table), "file", {});
  CHECK(again.nets[0].keys == data.nets[0].keys);
  CHECK(again.nets[0].ms == data.nets[0].ms);
  table.nets[0].keys.push_back("conv1x1:16,32,8,64,0,0,2,0,0,-");
  CHECK_THROWS_WITH(ExportNetsJsonl(table), Contains("nets-jsonl cannot hold"));
}

TEST_CASE("the YAML files hold the keys and numbers of the CSV rows") {
  const std::string folder = LatencyData();
  if (folder.empty()) return;
  struct Pair {
    const char *yaml, *format, *csv, *source;
  };
  for (const Pair& pair : {Pair{"note10_ofa_lut_160.yaml", "ofa-yaml", "note10_blocks.csv", "*r160"},
                           Pair{"note10_ofa_lut_224.yaml", "ofa-yaml", "note10_blocks.csv", "*r224"},
                           Pair{"pixel1_proxylessnas_lut.yaml", "proxyless-yaml", "pixel1_blocks.csv", "*"}}) {
    INFO(pair.yaml);
    std::map<BlockKey, ImportedRow> yaml, csv;
    for (const auto& row : ImportFile(folder + "/" + pair.yaml, pair.format).rows) yaml.emplace(row.key, row);
    for (const auto& row : ImportFile(folder + "/" + pair.csv, "csv").rows) {
      if (GlobMatch(pair.source, row.source)) csv.emplace(row.key, row);
    }
    REQUIRE(yaml.size() == csv.size());
    REQUIRE(yaml.size() > 70);
    for (const auto& [key, row] : yaml) {
      INFO(ToString(key));
      REQUIRE(csv.count(key) == 1);
      const ImportedRow& other = csv.at(key);
      CHECK(row.ms == other.ms);
      CHECK(row.count == other.count);
      CHECK(*row.std_ms == Approx(*other.std_ms).epsilon(1e-9));
    }
  }
}

TEST_CASE("the Note10 file has 480 rows, 450 keys and 30 twins that agree") {
  const std::string folder = LatencyData();
  if (folder.empty()) return;
  const ImportedData data = ImportFile(folder + "/note10_blocks.csv", "csv");
  CHECK(data.rows.size() == 480);
  CHECK(MergeTwins(data.rows, false).size() == 450);
}
