// SPDX-License-Identifier: Apache-2.0
#include "source_run.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/search/search_result.h"
#include "nas/search/search_state.h"

namespace nas {
namespace {

bool Exists(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace

double SourceTarget::position() const {
  if (!budget || high <= low) return 1;
  return (*budget - low) / (high - low);
}

bool SourceTarget::pressed() const { return budget && expected && Pressed(*expected, *budget); }

Checkpoint SourceRun::Newest() const {
  auto checkpoint = CheckpointStore(std::filesystem::path(path) / "checkpoints").LoadLatest();
  if (!checkpoint) ThrowInput(StrCat(path, " has no checkpoint yet; wait for its first one"));
  return std::move(*checkpoint);
}

SourceRun ReadSourceRun(const std::string& run) {
  const std::filesystem::path folder = run;
  if (!Exists(folder / "config.json")) {
    ThrowInput(StrCat(run, " is no run folder (it has no config.json); give the --out of a search"));
  }
  const JsonDocument config = JsonDocument::Load((folder / "config.json").string());
  SourceRun source;
  source.path = run;
  source.options = SearchOptionsFromJson(config, "/options");
  try {
    source.classes = config.root().at("space").at("classes").get<int>();
    for (const Json& item : config.root().at("targets")) {
      SourceTarget target;
      target.name = ParseTarget(item.at("target").get<std::string>()).name;
      if (!item.at("budget").is_null()) target.budget = item.at("budget").get<double>();
      target.low = item.at("range").at(0).get<double>();
      target.high = item.at("range").at(1).get<double>();
      source.targets.push_back(target);
    }
  } catch (const nlohmann::json::exception& error) {
    ThrowInput(StrCat((folder / "config.json").string(), " is not the configuration of a search (", error.what(), ")"));
  }
  if (Exists(folder / "result.json")) {
    const SearchResult result = SearchResultFromJson(JsonDocument::Load((folder / "result.json").string()));
    for (std::size_t t = 0; t < std::min(source.targets.size(), result.targets.size()); ++t) {
      source.targets[t].expected = result.targets[t].expected;
    }
  }
  return source;
}

}  // namespace nas
