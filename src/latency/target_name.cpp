// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/target_name.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

namespace fs = std::filesystem;

/// Aliases of shipped tables; `cpu` and `gpu` mean this machine.
const std::vector<std::pair<std::string, std::string>>& Aliases() {
  static const std::vector<std::pair<std::string, std::string>> aliases{{"mobile", "note10-tflite-cpu"},
                                                                        {"note10", "note10-tflite-cpu"},
                                                                        {"pixel1", "pixel1-tflite-cpu"},
                                                                        {"pixel4", "pixel4-tflite-cpu"}};
  return aliases;
}

constexpr const char* kGpuStandIn = "titan-rtx-pytorch-b64";

std::string TableIn(const std::string& folder, const std::string& name) {
  const fs::path path = fs::path(folder) / (name + ".json");
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) ? path.string() : "";
}

std::string Shipped(const std::string& name, const std::vector<std::string>& table_dirs) {
  for (const std::string& folder : table_dirs) {
    if (const std::string path = TableIn(folder, name); !path.empty()) return path;
  }
  return "";
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string CacheFolder(const std::string& cache_dir) { return (fs::path(cache_dir) / "latency").string(); }

}  // namespace

const std::vector<std::string>& TargetAliases() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all{"cpu", "gpu", "macs", "params"};
    for (const auto& [alias, table] : Aliases()) all.push_back(alias);
    return all;
  }();
  return names;
}

std::vector<std::string> KnownTargets(const std::string& cache_dir, const std::vector<std::string>& table_dirs) {
  std::vector<std::string> names = NamesIn(CacheFolder(cache_dir));
  for (const std::string& folder : table_dirs) {
    for (const std::string& name : NamesIn(folder)) names.push_back(name);
  }
  names.insert(names.end(), {"cpu", "gpu"});
  for (const auto& [alias, table] : Aliases()) names.push_back(alias);
  std::vector<std::string> unique;
  for (const std::string& name : names) {
    if (std::find(unique.begin(), unique.end(), name) == unique.end()) unique.push_back(name);
  }
  return unique;
}

TargetPlace ResolveTargetName(const std::string& name, const std::string& cache_dir,
                              const std::vector<std::string>& table_dirs) {
  if (name.find('/') != std::string::npos || EndsWith(name, ".json")) {
    std::error_code ignored;
    if (!fs::exists(name, ignored))
      ThrowInput(StrCat("no latency table at ", name, "; give an existing file or a name"));
    return {TargetPlace::Kind::kTable, name};
  }
  if (const std::string path = TableIn(CacheFolder(cache_dir), name); !path.empty())
    return {TargetPlace::Kind::kTable, path};
  if (const std::string path = Shipped(name, table_dirs); !path.empty()) return {TargetPlace::Kind::kTable, path};
  if (name == "cpu") return {TargetPlace::Kind::kOwnCpu, ""};
  if (name == "gpu") return {TargetPlace::Kind::kOwnGpu, Shipped(kGpuStandIn, table_dirs)};
  for (const auto& [alias, table] : Aliases()) {
    if (alias != name) continue;
    const std::string path = Shipped(table, table_dirs);
    if (path.empty())
      ThrowInput(StrCat("the table ", table, " of target ", name, " is not installed; run scripts/rebuild-tables"));
    return {TargetPlace::Kind::kTable, path};
  }
  std::vector<std::string> known = KnownTargets(cache_dir, table_dirs);
  known.insert(known.end(), {"macs", "params"});
  ThrowInput(StrCat("unknown target \"", name, "\"", DidYouMean(name, known)));
}

}  // namespace nas
