// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include "export/fixtures.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/hash.h"
#include "nas/export/export_options.h"
#include "nas/export/passport.h"

namespace nas::test {
namespace {

Passport Full() {
  Passport p;
  p.architecture = SampledNetworks("tiny", 1, 0)[0];
  p.params = CountParams(p.architecture);
  p.macs = CountMacs(p.architecture).value;
  p.weights = "trained";
  p.seed = 7;
  p.run = "/runs/x";
  p.config_hash = "aa";
  p.data = "demo";
  p.data_listing = "bb";
  p.image_steps = {{"resize_short", 32}};
  p.class_names = {"a", "b"};
  p.exported = {{"onnx", "model.onnx", "cc", 12, Json{{"ok", true}}}};
  p.sources = {{"config", "/runs/x/config.json", "dd", 5, std::nullopt}};
  p.metrics = {{"top1", 0.5, "share", "test set", 1000, ""}, {"measured", 1.5, "ms", "timed", 0, "cpu"}};
  p.versions = {{"nas", "1"}};
  p.machine = {{"cpu", "x"}};
  p.created = "2026-01-01T00:00:00Z";
  return p;
}

}  // namespace

TEST_CASE("a passport is read as it was written", "[export]") {
  const std::string text = PrettyDump(ToJson(Full()));
  const Passport read = PassportFromJson(JsonDocument::Parse(text, "passport.json"));
  REQUIRE(PrettyDump(ToJson(read)) == text);
  REQUIRE(read.architecture == Full().architecture);
}

TEST_CASE("damaged passports are refused, naming the place", "[export]") {
  const Json good = ToJson(Full());
  const auto refuse = [](const Json& json, const std::string& part) {
    INFO(part);
    try {
      PassportFromJson(JsonDocument::Parse(PrettyDump(json), "passport.json"));
      FAIL("accepted");
    } catch (const Error& error) {
      INFO(error.what());
      REQUIRE(error.kind() == ErrorKind::kInput);
      REQUIRE(std::string(error.what()).find(part) != std::string::npos);
    }
  };
  for (const char* key : {"schema", "params", "arch", "exported", "metrics", "versions"}) {
    Json broken = good;
    broken.erase(key);
    refuse(broken, key);
  }
  Json broken = good;
  broken["parms"] = 1;
  refuse(broken, "parms");
  broken = good;
  broken["exported"][0]["bytes"] = -1;
  refuse(broken, "bytes");
  broken = good;
  broken["weights"] = "stolen";
  refuse(broken, "stolen");
}

TEST_CASE("wrong counts differ, files of other places are unchecked where they are not", "[export]") {
  const TempDir dir;
  Passport p = Full();
  p.params += 1;
  WriteFileAtomic(dir.path() / "table.json", "{}");
  p.sources.push_back({"table", (dir.path() / "table.json").string(), HashFile(dir.path() / "table.json"), 2, {}});
  const auto checks = CheckPassport(p, dir.path());
  REQUIRE(checks.size() == 5);
  REQUIRE(checks[0].status == PassportCheck::Status::kDiffers);
  REQUIRE(checks[1].status == PassportCheck::Status::kHolds);
  REQUIRE(checks[2].status == PassportCheck::Status::kDiffers);  // an exported file has to be beside the passport
  REQUIRE(checks[3].status == PassportCheck::Status::kUnchecked);
  REQUIRE(checks[4].status == PassportCheck::Status::kHolds);
}

TEST_CASE("options of export and verify name flag and remedy", "[export]") {
  const auto refuse = [](const auto& set, const std::string& part) {
    ExportOptions options;
    set(options);
    INFO(part);
    try {
      options.Validate();
      FAIL("accepted");
    } catch (const Error& error) {
      REQUIRE(error.kind() == ErrorKind::kUsage);
      REQUIRE(std::string(error.what()).find(part) != std::string::npos);
    }
  };
  refuse([](ExportOptions&) {}, "--run");
  refuse([](ExportOptions& o) { o.arch = o.run = "a"; }, "exclude");
  refuse([](ExportOptions& o) { o.weights = o.run = "a"; }, "--weights");
  refuse([](ExportOptions& o) { o.arch = o.target = "a"; }, "--target");
  refuse([](ExportOptions& o) { o.arch = "a", o.images = 3; }, "--images 3");
  refuse([](ExportOptions& o) { o.arch = "a", o.formats = {"timm"}, o.keep_bn = true; }, "--keep-bn");
  refuse([](ExportOptions& o) { o.arch = "a", o.formats = {"timm"}, o.fp16 = true; }, "--fp16");
  ExportOptions plain;
  plain.arch = "a";
  plain.Validate();
  VerifyOptions both;
  both.data = "demo";
  both.no_data = true;
  REQUIRE_THROWS_AS(both.Validate(), Error);
  VerifyOptions wide;
  wide.accuracy_tolerance = 2;
  REQUIRE_THROWS_AS(wide.Validate(), Error);
}

}  // namespace nas::test
