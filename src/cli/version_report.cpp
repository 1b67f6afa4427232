// SPDX-License-Identifier: Apache-2.0
#include "version_report.h"

#include <CLI/Version.hpp>
#include <Eigen/Core>
#include <nlohmann/json.hpp>

#include "nas/core/text.h"
#include "nas/core/version.h"

namespace nas::cli {

int PrintVersion(const std::vector<std::pair<std::string, std::string>>& more, const Session& session) {
  std::vector<std::pair<std::string, std::string>> all{{"nas", kVersion}, {"compiler", __VERSION__}};
  all.insert(all.end(), more.begin(), more.end());
  all.emplace_back("CLI11", CLI11_VERSION);
  all.emplace_back("nlohmann_json", StrCat(NLOHMANN_JSON_VERSION_MAJOR, ".", NLOHMANN_JSON_VERSION_MINOR, ".",
                                           NLOHMANN_JSON_VERSION_PATCH));
  all.emplace_back("Eigen", StrCat(EIGEN_WORLD_VERSION, ".", EIGEN_MAJOR_VERSION, ".", EIGEN_MINOR_VERSION));
  if (session.json) {
    Json json{{"schema", "nas.version/1"}};
    for (const auto& [name, version] : all) json[name] = version;
    session.PrintJson(json);
    return 0;
  }
  for (const auto& [name, version] : all) session.Print(StrCat(name, " ", version));
  return 0;
}

}  // namespace nas::cli
