// SPDX-License-Identifier: Apache-2.0
#include "nas/core/run_folder.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/hash.h"
#include "nas/core/log.h"
#include "nas/core/machine.h"
#include "nas/core/text.h"

namespace nas {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kEnvironmentSchema = "nas.env/1";

/// What batch systems and `submit` put into a folder before its run starts; a run may start among these.
constexpr std::array<std::string_view, 9> kForerunners = {
    "job.sbatch", "jobs.jsonl", "status.json", "slurm-*", "rendezvous.json", "owner-*", "logs", "nas.log", "targets"};

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// Names in a folder; empty when there is no folder. Throws kInput when it cannot be listed.
std::vector<fs::path> Entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  if (!Exists(folder)) return entries;
  if (!fs::is_directory(folder)) ThrowInput(StrCat(folder.string(), " is a file; give a folder as --out"));
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    entries.push_back(it->path());
  }
  if (error) ThrowInput(StrCat("cannot list ", folder.string(), ": ", error.message()));
  return entries;
}

bool OnlyForerunners(const std::vector<fs::path>& entries) {
  return std::all_of(entries.begin(), entries.end(), [](const fs::path& entry) {
    return std::any_of(kForerunners.begin(), kForerunners.end(),
                       [&](std::string_view pattern) { return GlobMatch(pattern, entry.filename().string()); });
  });
}

using FlatJson = std::map<std::string, Json>;  ///< leaves by dotted path; arrays and empty objects are leaves

void Flatten(const Json& value, const std::string& path, FlatJson* out) {
  if (!value.is_object() || value.empty()) {
    (*out)[path] = value;
    return;
  }
  for (const auto& [key, child] : value.items()) Flatten(child, path.empty() ? key : path + "." + key, out);
}

FlatJson Flatten(const Json& value) {
  FlatJson flat;
  Flatten(value, "", &flat);
  return flat;
}

/// The place of a dotted path, or null.
Json* FindPath(Json* root, const std::string& path) {
  Json* at = root;
  for (const std::string& key : Split(path, '.')) {
    if (!at->is_object() || !at->contains(key)) return nullptr;
    at = &(*at)[key];
  }
  return at;
}

void ErasePath(Json* root, const std::string& path) {
  const std::size_t dot = path.rfind('.');
  Json* parent = dot == std::string::npos ? root : FindPath(root, path.substr(0, dot));
  if (parent != nullptr && parent->is_object()) parent->erase(dot == std::string::npos ? path : path.substr(dot + 1));
}

std::string Shown(const FlatJson& flat, const std::string& key) {
  const auto it = flat.find(key);
  return it == flat.end() ? "(absent)" : it->second.dump();
}

/// Complete lines of a text: a last one without its newline was cut short by a crash.
std::int64_t CountLines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

double UnixSeconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::round(std::chrono::duration<double>(now).count() * 1e3) / 1e3;
}

Json ReadJson(const fs::path& path) { return JsonDocument::Load(path.string()).root(); }

}  // namespace

RunFolder::RunFolder(fs::path path, const Json& config, std::vector<std::string> free_keys)
    : path_(std::move(path)), config_(std::make_shared<Json>(config)), free_keys_(std::move(free_keys)) {
  if (!config.is_object()) ThrowInternal("RunFolder: the configuration is not an object");
}

RunFolder RunFolder::Open(const fs::path& path, const Json& config, RunMode mode,
                          const std::vector<std::string>& free_keys) {
  RunFolder folder(path, config, free_keys);
  if (folder.Decide(mode)) {
    folder.GoOn();
  } else {
    folder.StartNew();
  }
  return folder;
}

RunFolder RunFolder::Absent(const Json& config, const std::vector<std::string>& free_keys) {
  RunFolder folder(fs::path(), config, free_keys);
  folder.absent_ = true;
  return folder;
}

bool RunFolder::Check(const fs::path& path, const Json& config, RunMode mode,
                      const std::vector<std::string>& free_keys) {
  RunFolder folder(path, config, free_keys);
  return folder.Decide(mode) && folder.finished();
}

bool RunFolder::Decide(RunMode mode) {
  const std::vector<fs::path> entries = Entries(path_);
  const bool is_run = IsRun(path_);
  if (is_run && (mode == RunMode::kResume || mode == RunMode::kResumeOrNew)) {
    CompareWithRecorded();
    return true;
  }
  if (mode == RunMode::kResume && !Exists(path_)) {
    ThrowInput(StrCat("there is no run to resume at ", path_.string(), "; leave --resume away to start one"));
  }
  if (is_run && mode == RunMode::kNew) {
    ThrowInput(StrCat(path_.string(),
                      " holds a run already; give --resume to go on with it, --force to replace it, or "
                      "another --out"));
  }
  if (!is_run && !OnlyForerunners(entries)) {
    ThrowInput(StrCat(path_.string(), " holds other files (", entries.front().filename().string(),
                      ") and is not the folder of a run; give another --out"));
  }
  return false;
}

bool RunFolder::IsRun(const fs::path& path) {
  const fs::path environment = path / "env.json";
  if (!Exists(environment)) return false;
  try {
    const Json facts = ReadJson(environment);
    return facts.is_object() && facts.value("schema", "") == kEnvironmentSchema;
  } catch (const Error&) {
    return false;
  } catch (const Json::exception&) {
    return false;
  }
}

Json RunFolder::ReadConfig(const fs::path& path) {
  Json config = ReadJson(path / "config.json");
  if (!config.is_object()) ThrowInput(StrCat((path / "config.json").string(), ": a run's configuration is an object"));
  return config;
}

fs::path RunFolder::NextDefaultName(const fs::path& runs_dir, const std::string& stem) {
  for (int n = 1;; ++n) {
    fs::path candidate = runs_dir / StrCat(stem, "-", TodayCompact(), "-", n);
    if (!Exists(candidate)) return candidate;
  }
}

fs::path RunFolder::NetworkFolder(const fs::path& path, const std::string& target) {
  if (!IsRun(path))
    ThrowInput(StrCat(path.string(), " is not the folder of a run; give one that `search` or `train` made"));
  if (target.empty() && Exists(path / "arch.json")) return path;
  std::vector<fs::path> matching;
  std::vector<std::string> names;
  for (const fs::path& entry : Entries(path / "targets")) {
    if (!Exists(entry / "arch.json")) continue;
    const std::string name = entry.filename().string();
    names.push_back(name);
    if (target.empty() || name == target || StartsWith(name, target + "-")) matching.push_back(entry);
    if (name == target) return entry;
  }
  std::sort(names.begin(), names.end());
  if (matching.size() == 1) return matching.front();
  if (names.empty())
    ThrowInput(StrCat("the run at ", path.string(), " has no network yet; resume it until it is done"));
  if (matching.empty())
    ThrowInput(StrCat("the run at ", path.string(), " has no target ", target, DidYouMean(target, names)));
  ThrowInput(
      StrCat("the run at ", path.string(), " has several networks; choose one with --target: ", Join(names, ", ")));
}

void RunFolder::StartNew() {
  if (IsRun(path_)) {
    // The entries, not the folder: it may be a mount point or a link to a larger disk.
    for (const fs::path& entry : Entries(path_)) {
      std::error_code error;
      fs::remove_all(entry, error);
      if (error) ThrowInput(StrCat("cannot remove ", entry.string(), ": ", error.message()));
    }
  }
  MakeDirectory(path_);
  CheckWritable(path_);
  WriteFileAtomic(config_path(), PrettyDump(*config_));
  const MachineInfo machine = ProbeMachine();
  Json facts;
  facts["schema"] = kEnvironmentSchema;
  facts["started"] = NowIso8601();
  facts["config_hash"] = config_hash();
  facts["machine"] = {{"hostname", machine.hostname}, {"cpu", machine.cpu_model},       {"cores", machine.cores},
                      {"features", machine.features}, {"memory", machine.memory_bytes}, {"os", machine.os},
                      {"governor", machine.governor}};
  WriteFileAtomic(environment_path(), PrettyDump(facts));
}

void RunFolder::CompareWithRecorded() {
  Json recorded = ReadConfig(path_);
  const FlatJson asked = Flatten(*config_);
  const FlatJson before = Flatten(recorded);
  FlatJson all = asked;
  all.insert(before.begin(), before.end());
  std::vector<std::string> differing;
  for (const auto& entry : all) {
    const std::string& key = entry.first;
    const auto is = asked.find(key);
    const auto was = before.find(key);
    const bool both = is != asked.end() && was != before.end();
    if (both && (is->second == was->second || is->second == "auto")) continue;
    const std::string change = StrCat(key, " ", Shown(before, key), " → ", Shown(asked, key));
    const bool is_free = std::any_of(free_keys_.begin(), free_keys_.end(), [&](const std::string& free_key) {
      return key == free_key || StartsWith(key, free_key + ".");
    });
    (is_free ? changed_free_keys_ : differing).push_back(change);
  }
  if (!differing.empty()) {
    ThrowInput(StrCat("the run at ", path_.string(), " has another configuration: ", Join(differing, ", "),
                      "; ask for the same to resume it, or give another --out"));
  }
  for (const std::string& key : free_keys_) {
    Json* to = FindPath(&recorded, key);
    const Json* from = FindPath(config_.get(), key);
    if (to != nullptr && from != nullptr) *to = *from;
  }
  *config_ = std::move(recorded);
}

void RunFolder::GoOn() {
  resumed_ = true;
  CheckWritable(path_);
  if (Exists(metrics_path())) metric_lines_ = CountLines(ReadFile(metrics_path()));
  if (Exists(samples_path())) sample_lines_ = CountLines(ReadFile(samples_path()));

  Json facts = ReadJson(environment_path());
  const MachineInfo machine = ProbeMachine();
  const Json features = machine.features;
  const Json* recorded_features = FindPath(&facts, "machine.features");
  if (recorded_features != nullptr && *recorded_features != features) {
    LogWarning(
        StrCat("this machine (", machine.cpu_model,
               ") has another instruction set than the one where the run started; it goes on, but not bit for bit"));
  }
  Json resume = {{"time", NowIso8601()}, {"hostname", machine.hostname}, {"cpu", machine.cpu_model}};
  if (!facts.contains("resumed") || !facts["resumed"].is_array()) facts["resumed"] = Json::array();
  facts["resumed"].push_back(std::move(resume));
  WriteFileAtomic(environment_path(), PrettyDump(facts));
}

bool RunFolder::finished() const { return Exists(result_path()); }

std::string RunFolder::config_hash() const {
  Json guarded = *config_;
  for (const std::string& key : free_keys_) ErasePath(&guarded, key);
  return Hash128Hex(CanonicalDump(guarded));
}

void RunFolder::FreezeConfig(const std::string& key, const Json& value) {
  Json* at = FindPath(config_.get(), key);
  if (at == nullptr) ThrowInternal(StrCat("RunFolder::FreezeConfig: the configuration has no key ", key));
  if (*at == value) return;
  *at = value;
  if (absent_) return;
  WriteFileAtomic(config_path(), PrettyDump(*config_));
  AddEnvironment({{"config_hash", config_hash()}});
}

void RunFolder::AddEnvironment(const Json& facts) {
  if (absent_) return;
  Json merged = ReadJson(environment_path());
  merged.merge_patch(facts);
  WriteFileAtomic(environment_path(), PrettyDump(merged));
}

void RunFolder::AppendMetric(const Json& event) {
  if (!event.is_object() || !event.contains("event")) ThrowInternal("RunFolder::AppendMetric: an event has no name");
  if (absent_) return;
  Json line;
  line["event"] = event["event"];
  line["t"] = UnixSeconds();
  for (const auto& [key, value] : event.items()) {
    if (key != "event") line[key] = value;
  }
  AppendLine(metrics_path(), line.dump(-1, ' ', false, Json::error_handler_t::replace));
  ++metric_lines_;
  if (follower_ != nullptr) follower_->Append(line);
}

void RunFolder::Follow(std::shared_ptr<MetricFollower> follower) {
  if (absent_) return;
  follower_ = std::move(follower);
  if (follower_ != nullptr) follower_->Restart(path_);
}

void RunFolder::TruncateMetrics(std::int64_t lines) {
  if (absent_) return;
  TruncateLines(metrics_path().filename().string(), lines);
  metric_lines_ = Exists(metrics_path()) ? CountLines(ReadFile(metrics_path())) : 0;
  if (follower_ != nullptr) follower_->Restart(path_);
}

void RunFolder::AppendSample(const Json& sample) {
  if (absent_) return;
  AppendLine(samples_path(), sample.dump(-1, ' ', false, Json::error_handler_t::replace));
  ++sample_lines_;
}

void RunFolder::TruncateSamples(std::int64_t lines) {
  if (absent_) return;
  TruncateLines(samples_path().filename().string(), lines);
  sample_lines_ = Exists(samples_path()) ? CountLines(ReadFile(samples_path())) : 0;
}

void RunFolder::TruncateLines(const std::string& file_name, std::int64_t lines) const {
  const fs::path path = path_ / file_name;
  if (!Exists(path)) return;
  const std::string text = ReadFile(path);
  std::size_t end = 0;
  for (std::int64_t line = 0; line < lines; ++line) {
    const std::size_t newline = text.find('\n', end);
    if (newline == std::string::npos) break;
    end = newline + 1;
  }
  if (end != text.size()) WriteFileAtomic(path, std::string_view(text).substr(0, end));
}

void RunFolder::WriteResult(const Json& result) const {
  if (!absent_) WriteFileAtomic(result_path(), PrettyDump(result));
}

Json RunFolder::ReadResult() const { return ReadJson(result_path()); }

}  // namespace nas
