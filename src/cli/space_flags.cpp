// SPDX-License-Identifier: Apache-2.0
#include "space_flags.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"

namespace nas::cli {
namespace {

std::string Stdin() { return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()}; }

bool LooksLikeCode(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
}

/// One document, or one per line when the first line is complete by itself.
void ReadText(const std::string& text, const std::string& source, const SearchSpace* space,
              std::vector<Architecture>* out) {
  std::vector<std::string> lines;
  for (const std::string& line : Split(text, '\n')) {
    if (!Trim(line).empty()) lines.push_back(Trim(line));
  }
  if (lines.empty()) ThrowInput(StrCat(source, " is empty; give an architecture in JSON, or codes one per line"));
  const bool per_line = lines.size() > 1 && (lines[0].back() == '}' || LooksLikeCode(lines[0]));
  if (!per_line && !LooksLikeCode(lines[0])) {
    out->push_back(ArchitectureFromAnyJson(JsonDocument::Parse(text, source)));
    return;
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string where = StrCat(source, ":", i + 1);
    if (LooksLikeCode(lines[i])) {
      if (space == nullptr) ThrowInput(StrCat(where, ": \"", lines[i], "\" is a code; say of which --space"));
      out->push_back(space->Build(space->Decode(lines[i])));
    } else {
      out->push_back(ArchitectureFromAnyJson(JsonDocument::Parse(lines[i], where)));
    }
  }
}

}  // namespace

void SpaceFlags::AddTo(FlagSet& flags) {
  flags.Add("--space", &space, "search space: shipped name or file");
  flags.Add("--width-mult", &options.width_mult, "scales the widths of the space");
  flags.Add("--resolution", &options.resolution, "input side in pixels; 0: the space's own");
  flags.Add("--classes", &options.classes, "outputs of the classifier; 0: the space's own");
}

std::optional<SearchSpace> SpaceFlags::LoadIfGiven(const Session& session) const {
  if (space.empty()) return std::nullopt;
  return SearchSpace::Load(space, options, session.space_dirs);
}

SearchSpace SpaceFlags::Load(const Session& session) const {
  if (space.empty()) {
    ThrowUsage(
        StrCat("--space is missing; shipped: ", Join(SearchSpace::List(session.space_dirs), ", "), ", or a file"));
  }
  return SearchSpace::Load(space, options, session.space_dirs);
}

std::vector<Architecture> ReadArchitectures(const std::vector<std::string>& given, const SearchSpace* space) {
  std::vector<Architecture> architectures;
  for (const std::string& word : given) {
    std::error_code ignored;
    if (word == "-") {
      ReadText(Stdin(), "stdin", space, &architectures);
    } else if (std::filesystem::is_directory(word, ignored)) {
      ThrowInput(StrCat(word, " is a folder; give an architecture file, e.g. ", word, "/targets/<target>/arch.json"));
    } else if (std::filesystem::exists(word, ignored)) {
      if (EndsWith(word, ".jsonl") || EndsWith(word, ".txt")) {
        ReadText(ReadFile(word), word, space, &architectures);
      } else {
        architectures.push_back(LoadArchitecture(word));
      }
    } else if (space != nullptr && LooksLikeCode(word)) {
      architectures.push_back(space->Build(space->Decode(word)));
    } else if (LooksLikeCode(word)) {
      ThrowInput(StrCat("no file \"", word, "\"; if it is a code, say of which --space"));
    } else {
      ThrowInput(StrCat("no file ", word, "; give an architecture file, a code with --space, or - for stdin"));
    }
  }
  return architectures;
}

Architecture ReadArchitecture(const std::string& given, const SearchSpace* space) {
  std::vector<Architecture> all = ReadArchitectures({given}, space);
  if (all.size() != 1) ThrowInput(StrCat(given, " holds ", all.size(), " architectures; give one"));
  return std::move(all[0]);
}

}  // namespace nas::cli
