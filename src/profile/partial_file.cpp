// SPDX-License-Identifier: Apache-2.0
#include "partial_file.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

constexpr const char* kSchema = "nas.profile-partial/1";

Json ToJson(const PartialHeader& header) {
  return Json{{"schema", kSchema},     {"identity", nas::ToJson(header.identity)},
              {"space", header.space}, {"plan", header.plan},
              {"seed", header.seed},   {"run", header.run},
              {"start", header.start}};
}

PartialHeader ReadHeader(ObjectReader reader) {
  PartialHeader header;
  reader.Choice("schema", {kSchema});
  header.identity = DeviceIdentityFromJson(reader.Object("identity"));
  header.space = reader.String("space");
  header.plan = reader.String("plan");
  header.seed = static_cast<std::uint64_t>(reader.Int("seed", 0, std::numeric_limits<std::int64_t>::max()));
  header.run = static_cast<int>(reader.Int("run", 1, std::numeric_limits<int>::max()));
  header.start = reader.String("start");
  reader.Finish();
  return header;
}

void CheckSame(const std::filesystem::path& path, const PartialHeader& file, const PartialHeader& now) {
  const std::string remedy = "; measure there, or start anew with --force";
  const auto devices = CompareIdentities(now.identity, file.identity);
  if (!devices.empty()) {
    ThrowInput(StrCat(path.string(), " was measured on another device: ", ToString(devices), remedy));
  }
  std::vector<std::string> differences;
  if (file.space != now.space) differences.push_back(StrCat("space ", now.space, " ≠ ", file.space));
  if (file.plan != now.plan) differences.push_back(StrCat("plan ", now.plan, " ≠ ", file.plan));
  if (file.seed != now.seed) differences.push_back(StrCat("seed ", now.seed, " ≠ ", file.seed));
  if (file.run != now.run) differences.push_back(StrCat("run ", now.run, " ≠ ", file.run));
  if (!differences.empty()) {
    ThrowInput(StrCat(path.string(), " holds results of another plan: ", Join(differences, ", "),
                      "; give the same flags, or start anew with --force"));
  }
}

}  // namespace

PartialFile::PartialFile(std::filesystem::path path, PartialHeader header)
    : path_(std::move(path)), header_(std::move(header)) {}

std::filesystem::path PartialFile::PathFor(const std::string& out) { return out + ".partial.jsonl"; }

PartialFile PartialFile::Create(const std::filesystem::path& path, const PartialHeader& header) {
  PartialFile file(path, header);
  file.Rewrite();
  return file;
}

PartialFile PartialFile::Resume(const std::filesystem::path& path, const PartialHeader& header) {
  const std::string text = ReadFile(path);
  std::vector<std::string> lines = Split(text, '\n');
  lines.pop_back();  // what stands behind the last line end: nothing, or a line cut short
  if (lines.empty()) ThrowInput(StrCat(path.string(), " holds no whole line; start anew with --force"));
  PartialFile file(path, ReadHeader(ObjectReader(JsonDocument::Parse(lines[0], path.string() + " line 1"))));
  CheckSame(path, file.header_, header);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string where = StrCat(path.string(), " line ", i + 1);
    const ItemResult result = ItemResultFromJson(ObjectReader(JsonDocument::Parse(lines[i], where)));
    file.results_[result.id] = result;
  }
  // Without the line that was cut short, so that the next one does not join it.
  if (!text.ends_with('\n')) file.Rewrite();
  return file;
}

void PartialFile::Rewrite() const {
  std::string text = ToJson(header_).dump() + "\n";
  for (const auto& [id, result] : results_) text += nas::ToJson(result).dump() + "\n";
  WriteFileAtomic(path_, text);
}

void PartialFile::Add(const ItemResult& result) {
  results_[result.id] = result;
  AppendLine(path_, nas::ToJson(result).dump());
}

void PartialFile::Remove() {
  std::error_code ignored;  // a file that is gone already is as good
  std::filesystem::remove(path_, ignored);
}

}  // namespace nas::detail
