// SPDX-License-Identifier: Apache-2.0
#include "agent_bundle.h"

#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>

#include "nas/core/error.h"
#include "nas/core/hash.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> FilesIn(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.is_regular_file(ignored)) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string ThisMachine() {
  utsname names{};
  return ::uname(&names) == 0 ? names.machine : "";
}

}  // namespace

AgentBundle FindBundle(const AgentPlaces& places, const std::string& machine) {
  AgentBundle bundle;
  std::error_code ignored;
  for (const std::string& dir : places.bundle_dirs) {
    if (fs::exists(fs::path(dir) / machine / "nas-agent", ignored)) bundle.files = FilesIn(fs::path(dir) / machine);
    if (!bundle.files.empty()) break;
  }
  if (bundle.files.empty() && machine == ThisMachine() && fs::exists(places.program, ignored)) {
    bundle.files = {places.program};
  }
  if (bundle.files.empty()) {
    throw Error(ErrorKind::kUnavailable,
                StrCat("there is no agent for ", machine, " in ", Join(places.bundle_dirs, ", "),
                       "; build it with scripts/build-agent ", machine));
  }
  std::string content;
  std::string loader;
  for (const std::string& file : bundle.files) {
    const std::string name = fs::path(file).filename().string();
    content += StrCat(name, " ", HashFile(file), "\n");
    if (StartsWith(name, "ld-linux")) loader = name;
  }
  bundle.hash = Hash128Hex(content).substr(0, 16);
  bundle.start = loader.empty() ? "./nas-agent" : StrCat("./", loader, " --library-path . ./nas-agent");
  return bundle;
}

}  // namespace nas::detail
