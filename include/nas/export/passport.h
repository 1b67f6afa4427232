// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "nas/core/json.h"
#include "nas/space/architecture.h"

namespace nas {

/// A file that a passport vouches for. `hash` is XXH3-128 of its content.
struct PassportFile {
  std::string role;  ///< an export format, or "config", "table", "weights"
  std::string path;  ///< relative to the passport's folder for exported files, else absolute
  std::string hash;
  std::int64_t bytes = 0;
  std::optional<Json> verified;  ///< how an exported file compared with the network
};

/// A figure and how it came about.
struct PassportMetric {
  std::string name;  ///< "top1", "top5", "loss" (0…1), "predicted", "measured"
  double value = 0;
  std::string unit;  ///< "share", "ms", "macs", "params"
  std::string how;
  std::int64_t images = 0;  ///< accuracies: of how many
  std::string target;       ///< latencies: of what
};

/// Where an exported network comes from and what was found out about it, written beside its files: enough to check
/// later that nothing was exchanged, and to obtain the figures again.
struct Passport {
  Architecture architecture;
  std::int64_t params = 0;
  std::int64_t macs = 0;
  std::string weights;  ///< "trained" or "random"
  std::uint64_t seed = 0;
  std::string run;           ///< folder of the run, "" = none
  std::string config_hash;   ///< of the run's configuration without keys that do not matter
  std::string data;          ///< spec of the run's data, "" = none
  std::string data_listing;  ///< hash of its names and sizes
  Json image_steps;
  std::vector<std::string> class_names;
  std::vector<PassportFile> exported;
  std::vector<PassportFile> sources;
  std::vector<PassportMetric> metrics;
  Json versions;
  Json machine;
  std::string created;
};

Json ToJson(const Passport& passport);
/// Throws kInput with file, line and JSON path.
Passport PassportFromJson(const JsonDocument& document);

/// The outcome of one check.
struct PassportCheck {
  enum class Status { kHolds, kDiffers, kUnchecked };
  std::string what;
  Status status = Status::kUnchecked;
  std::string detail;
};
std::string_view ToString(PassportCheck::Status status);

/// Recounts params and MACs of the architecture and hashes every file that the passport names; files of other places
/// that are not here are unchecked, missing exported ones differ. `folder`: that of the passport.
std::vector<PassportCheck> CheckPassport(const Passport& passport, const std::filesystem::path& folder);

/// The file with the network's weights: an exported model.safetensors, else the source; unchanged since. "" = none.
std::filesystem::path PassportWeights(const Passport& passport, const std::filesystem::path& folder);

}  // namespace nas
