// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/device_identity.h"

#include <nlohmann/json.hpp>

#include "nas/core/hash.h"
#include "nas/core/text.h"

namespace nas {
namespace {

struct TextField {
  const char* name;
  std::string DeviceIdentity::*field;
};
struct CountField {
  const char* name;
  int DeviceIdentity::*field;
};

// The order of the file.
constexpr TextField kTextBefore[] = {{"vendor", &DeviceIdentity::vendor},
                                     {"model", &DeviceIdentity::model},
                                     {"soc", &DeviceIdentity::soc},
                                     {"cores", &DeviceIdentity::cores},
                                     {"core_mask", &DeviceIdentity::core_mask}};
constexpr CountField kThreads = {"threads", &DeviceIdentity::threads};
constexpr TextField kPrecision = {"precision", &DeviceIdentity::precision};
constexpr CountField kBatch = {"batch", &DeviceIdentity::batch};
constexpr TextField kTextAfter[] = {{"os", &DeviceIdentity::os},
                                    {"engine", &DeviceIdentity::engine},
                                    {"engine_version", &DeviceIdentity::engine_version},
                                    {"engine_build", &DeviceIdentity::engine_build},
                                    {"delegate", &DeviceIdentity::delegate}};
constexpr TextField kGpuText[] = {{"gpu", &DeviceIdentity::gpu},
                                  {"compute_capability", &DeviceIdentity::compute_capability},
                                  {"driver_major", &DeviceIdentity::driver_major},
                                  {"cuda", &DeviceIdentity::cuda},
                                  {"cudnn", &DeviceIdentity::cudnn},
                                  {"clocks_locked", &DeviceIdentity::clocks_locked}};

Json CountToJson(int count) { return count == 0 ? Json("unknown") : Json(count); }

int ReadCount(ObjectReader& reader, const char* name) {
  if (reader.Has(name) && reader.Raw(name).is_string()) {
    if (reader.Raw(name).get<std::string>() == "unknown") return 0;
    reader.Fail(name, "neither a whole number from 1 to 1000000 nor \"unknown\"");
  }
  return static_cast<int>(reader.Int(name, 1, 1000000));
}

std::string CountText(int count) { return count == 0 ? "unknown" : std::to_string(count); }

}  // namespace

Json ToJson(const DeviceIdentity& identity) {
  Json json = Json::object();
  json["class"] = identity.device_class;
  for (const auto& f : kTextBefore) json[f.name] = identity.*f.field;
  json[kThreads.name] = CountToJson(identity.*kThreads.field);
  json[kPrecision.name] = identity.*kPrecision.field;
  json[kBatch.name] = CountToJson(identity.*kBatch.field);
  for (const auto& f : kTextAfter) json[f.name] = identity.*f.field;
  if (identity.is_gpu()) {
    for (const auto& f : kGpuText) json[f.name] = identity.*f.field;
  }
  return json;
}

DeviceIdentity DeviceIdentityFromJson(ObjectReader reader) {
  DeviceIdentity identity;
  identity.device_class = reader.Choice("class", {"cpu", "gpu"});
  for (const auto& f : kTextBefore) identity.*f.field = reader.String(f.name);
  identity.*kThreads.field = ReadCount(reader, kThreads.name);
  identity.*kPrecision.field = reader.String(kPrecision.name);
  identity.*kBatch.field = ReadCount(reader, kBatch.name);
  for (const auto& f : kTextAfter) identity.*f.field = reader.String(f.name);
  if (identity.is_gpu()) {
    for (const auto& f : kGpuText) identity.*f.field = reader.String(f.name);
  }
  reader.Finish();
  return identity;
}

std::string DeviceId(const DeviceIdentity& identity) {
  return Hash128Hex(CanonicalDump(ToJson(identity))).substr(0, 16);
}

std::vector<IdentityDifference> CompareIdentities(const DeviceIdentity& mine, const DeviceIdentity& theirs) {
  std::vector<IdentityDifference> differences;
  const auto compare = [&](const char* name, const std::string& a, const std::string& b) {
    if (a != b) differences.push_back({name, a, b, a == "unknown" || b == "unknown"});
  };
  compare("class", mine.device_class, theirs.device_class);
  for (const auto& f : kTextBefore) compare(f.name, mine.*f.field, theirs.*f.field);
  compare(kThreads.name, CountText(mine.*kThreads.field), CountText(theirs.*kThreads.field));
  compare(kPrecision.name, mine.*kPrecision.field, theirs.*kPrecision.field);
  compare(kBatch.name, CountText(mine.*kBatch.field), CountText(theirs.*kBatch.field));
  for (const auto& f : kTextAfter) compare(f.name, mine.*f.field, theirs.*f.field);
  if (mine.is_gpu() && theirs.is_gpu()) {
    for (const auto& f : kGpuText) compare(f.name, mine.*f.field, theirs.*f.field);
  }
  return differences;
}

std::string ToString(const std::vector<IdentityDifference>& differences) {
  std::vector<std::string> parts;
  for (const auto& d : differences) parts.push_back(StrCat(d.field, " \"", d.mine, "\" ≠ \"", d.theirs, "\""));
  return Join(parts, ", ");
}

}  // namespace nas
