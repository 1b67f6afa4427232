// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/sweep.h"

#include <cctype>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/json.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr std::size_t kMaxRuns = 10'000;
constexpr std::size_t kMaxFolderName = 120;

std::filesystem::path SweepFile(const std::filesystem::path& sweep) { return sweep / "sweep.jsonl"; }

/// `a..b` or `a..b:step`; false when the text is no range.
bool ParseRange(const std::string& text, std::vector<std::string>* values) {
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) return false;
  std::string end = text.substr(dots + 2);
  long long low = 0;
  long long high = 0;
  long long step = 1;
  if (const std::size_t colon = end.find(':'); colon != std::string::npos) {
    if (!ParseInt(end.substr(colon + 1), &step) || step < 1) {
      ThrowUsage(StrCat("--sweep: the step of ", text, " has to be a whole number from 1 on"));
    }
    end.resize(colon);
  }
  if (!ParseInt(text.substr(0, dots), &low) || !ParseInt(end, &high)) return false;
  if (high < low) ThrowUsage(StrCat("--sweep: ", text, " is empty; write the smaller number first"));
  if (high - low > static_cast<long long>(kMaxRuns) * step)
    ThrowUsage(StrCat("--sweep: ", text, " has too many values"));
  for (long long value = low; value <= high; value += step) values->push_back(StrCat(value));
  return true;
}

std::string FolderWord(const std::string& value) {
  std::string word;
  for (const char c : value) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_') {
      word += c;
    } else if (c == '%') {
      word += "pct";
    } else {
      word += '-';
    }
  }
  return word;
}

void AppendSetting(const SweepAxis& axis, const std::string& value, std::vector<std::string>* args) {
  if (axis.name.find('.') != std::string::npos) {
    args->insert(args->end(), {"--set", StrCat(axis.name, "=", value)});
    return;
  }
  if (axis.name != "target") {
    args->push_back(StrCat("--", axis.name, "=", value));
    return;
  }
  for (const std::string& target : Split(value, '+')) args->insert(args->end(), {"--target", target});
}

}  // namespace

bool TakesRunFolder(const std::vector<std::string>& args) {
  return !args.empty() && (args[0] == "search" || args[0] == "train");
}

SweepAxis ParseSweepAxis(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == word.size()) {
    ThrowUsage(StrCat("--sweep ", word, ": write it as name=values, like seed=0..4 or target=cpu=5ms,cpu=8ms"));
  }
  SweepAxis axis;
  axis.name = word.substr(0, equals);
  while (StartsWith(axis.name, "-")) axis.name.erase(0, 1);
  for (char& c : axis.name) {
    if (c == '_' && axis.name.find('.') == std::string::npos) c = '-';
  }
  for (const char* ours : {"out", "resume", "force", "dry-run", "json", "config"}) {
    if (axis.name == ours) ThrowUsage(StrCat("--sweep ", word, ": --", ours, " cannot vary within a sweep"));
  }
  for (const std::string& value : Split(word.substr(equals + 1), ',')) {
    if (value.empty()) ThrowUsage(StrCat("--sweep ", word, ": a value is empty"));
    if (!ParseRange(value, &axis.values)) axis.values.push_back(value);
  }
  return axis;
}

std::vector<SweepPoint> ExpandSweep(const std::vector<SweepAxis>& axes, const std::vector<std::string>& command,
                                    const std::filesystem::path& sweep) {
  std::size_t runs = 1;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (axes[i].name == axes[j].name)
        ThrowUsage(StrCat("--sweep: ", axes[i].name, " is given twice; join the lists"));
    }
    runs *= axes[i].values.size();
    if (runs > kMaxRuns) ThrowUsage(StrCat("--sweep: more than ", kMaxRuns, " runs; give fewer values"));
  }
  std::vector<SweepPoint> points;
  for (std::size_t index = 0; index < runs; ++index) {
    SweepPoint point;
    point.index = static_cast<int>(index);
    point.args = command;
    std::vector<std::string> chosen(axes.size());
    std::size_t rest = index;
    for (std::size_t axis = axes.size(); axis-- > 0;) {
      chosen[axis] = axes[axis].values[rest % axes[axis].values.size()];
      rest /= axes[axis].values.size();
    }
    std::string name = StrCat(index);
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
      AppendSetting(axes[axis], chosen[axis], &point.args);
      const std::string label = axes[axis].name == "target" ? chosen[axis] : axes[axis].name + chosen[axis];
      name += StrCat("-", FolderWord(label));
    }
    if (name.size() > kMaxFolderName) name.resize(kMaxFolderName);
    point.run = (sweep / name).string();
    points.push_back(std::move(point));
  }
  return points;
}

void WriteSweep(const std::filesystem::path& sweep, const std::vector<SweepPoint>& points) {
  std::string text;
  for (const SweepPoint& point : points) {
    text += Json({{"index", point.index}, {"args", point.args}, {"run", point.run}}).dump() + "\n";
  }
  MakeDirectory(sweep);
  WriteFileAtomic(SweepFile(sweep), text);
}

std::vector<SweepPoint> ReadSweep(const std::filesystem::path& sweep) {
  std::vector<SweepPoint> points;
  int number = 0;
  for (const std::string& line : Split(ReadFile(SweepFile(sweep)), '\n')) {
    ++number;
    if (line.empty()) continue;
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    try {
      SweepPoint point;
      json.at("index").get_to(point.index);
      json.at("args").get_to(point.args);
      // The folder may have been moved: the run lies beside sweep.jsonl.
      point.run = (sweep / std::filesystem::path(json.at("run").get<std::string>()).filename()).string();
      points.push_back(std::move(point));
    } catch (const Json::exception&) {
      ThrowInput(StrCat(SweepFile(sweep).string(), ":", number, ": this is no line of a sweep; submit the sweep anew"));
    }
  }
  return points;
}

bool IsSweep(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::exists(SweepFile(folder), ignored);
}

}  // namespace nas
