// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "nas/core/error.h"
#include "nas/space/search_space.h"
#include "support/catch_compat.h"

namespace nas {

inline SearchSpace ShippedSpace(const std::string& name, const SpaceOptions& options = {}) {
  return SearchSpace::Load(name, options, {NAS_SOURCE_DIR "/search_spaces"});
}

inline JsonDocument Document(const Json& json) { return JsonDocument::Parse(json.dump(1), "test.json"); }

/// The message of the kInput error that `call` throws; "" when it throws none.
template <typename Call>
std::string InputError(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInput);
    return error.what();
  }
  return {};
}

inline bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The folder of published networks, or "" with a visible reason.
inline std::string PublishedNets() {
  const char* folder = std::getenv("NAS_TEST_DATA");
  if (folder == nullptr || !std::filesystem::exists(std::filesystem::path(folder) / "nets")) {
    WARN("skipped: NAS_TEST_DATA names no folder with nets/ of published networks");
    return {};
  }
  return (std::filesystem::path(folder) / "nets").string();
}

}  // namespace nas
