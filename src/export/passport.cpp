// SPDX-License-Identifier: Apache-2.0
#include "nas/export/passport.h"

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr char kSchema[] = "nas.passport/1";
constexpr std::int64_t kMost = std::int64_t{1} << 62;

Json FilesToJson(const std::vector<PassportFile>& files) {
  Json list = Json::array();
  for (const PassportFile& file : files) {
    Json item{{"role", file.role}, {"path", file.path}, {"xxh3_128", file.hash}, {"bytes", file.bytes}};
    if (file.verified) item["verified"] = *file.verified;
    list.push_back(std::move(item));
  }
  return list;
}

std::vector<PassportFile> FilesFromJson(ObjectReader& reader, const std::string& key) {
  std::vector<PassportFile> files;
  for (ObjectReader& item : reader.Objects(key)) {
    PassportFile file;
    file.role = item.String("role");
    file.path = item.String("path");
    file.hash = item.String("xxh3_128");
    file.bytes = item.Int("bytes", 0, kMost);
    if (item.Has("verified")) file.verified = item.Raw("verified");
    item.Finish();
    files.push_back(std::move(file));
  }
  return files;
}

PassportMetric MetricFromJson(ObjectReader& item) {
  PassportMetric metric;
  metric.name = item.String("name");
  metric.value = item.Number("value");
  metric.unit = item.String("unit");
  metric.how = item.String("how");
  metric.images = item.Int("images", 0, kMost, 0);
  metric.target = item.String("target", "");
  item.Finish();
  return metric;
}

}  // namespace

Json ToJson(const Passport& passport) {
  Json json;
  json["schema"] = kSchema;
  json["created"] = passport.created;
  json["name"] = passport.architecture.name;
  json["params"] = passport.params;
  json["macs"] = passport.macs;
  json["weights"] = passport.weights;
  json["seed"] = passport.seed;
  if (!passport.run.empty()) json["run"] = {{"path", passport.run}, {"config_hash", passport.config_hash}};
  if (!passport.data.empty()) json["data"] = {{"spec", passport.data}, {"listing_xxh3_128", passport.data_listing}};
  json["preprocessing"] = passport.image_steps;
  json["class_names"] = passport.class_names;
  json["exported"] = FilesToJson(passport.exported);
  json["sources"] = FilesToJson(passport.sources);
  json["metrics"] = Json::array();
  for (const PassportMetric& metric : passport.metrics) {
    Json item{{"name", metric.name}, {"value", metric.value}, {"unit", metric.unit}, {"how", metric.how}};
    if (metric.images > 0) item["images"] = metric.images;
    if (!metric.target.empty()) item["target"] = metric.target;
    json["metrics"].push_back(std::move(item));
  }
  json["versions"] = passport.versions;
  json["machine"] = passport.machine;
  json["arch"] = ToJson(passport.architecture);
  return json;
}

Passport PassportFromJson(const JsonDocument& document) {
  ObjectReader reader(document);
  reader.Choice("schema", {kSchema});
  Passport passport;
  passport.created = reader.String("created");
  reader.Ignore("name");  // the architecture's
  passport.params = reader.Int("params", 0, kMost);
  passport.macs = reader.Int("macs", 0, kMost);
  passport.weights = reader.Choice("weights", {"trained", "random"});
  passport.seed = static_cast<std::uint64_t>(reader.Int("seed", 0, INT64_MAX));
  if (reader.Has("run")) {
    ObjectReader run = reader.Object("run");
    passport.run = run.String("path");
    passport.config_hash = run.String("config_hash");
    run.Finish();
  }
  if (reader.Has("data")) {
    ObjectReader data = reader.Object("data");
    passport.data = data.String("spec");
    passport.data_listing = data.String("listing_xxh3_128");
    data.Finish();
  }
  passport.image_steps = reader.Raw("preprocessing");
  passport.class_names = reader.Strings("class_names");
  passport.exported = FilesFromJson(reader, "exported");
  passport.sources = FilesFromJson(reader, "sources");
  for (ObjectReader& item : reader.Objects("metrics")) passport.metrics.push_back(MetricFromJson(item));
  passport.versions = reader.Raw("versions");
  passport.machine = reader.Raw("machine");
  const std::string where = StrCat(document.source(), " (/arch)");
  passport.architecture = ArchitectureFromJson(JsonDocument::Parse(reader.Raw("arch").dump(), where));
  reader.Finish();
  return passport;
}

}  // namespace nas
