// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "nas/core/json.h"
#include "nas/core/progress.h"
#include "nas/core/stop_flag.h"

namespace nas::cli {

/// What every verb gets: the common flags, and the places and services of this process.
struct Session {
  std::vector<std::string> argv;        ///< as called
  std::filesystem::path bin_dir;        ///< folder of the running program
  std::vector<std::string> space_dirs;  ///< where shipped search spaces are
  std::vector<std::string> table_dirs;  ///< where shipped latency tables are
  std::string cache_dir;                ///< user cache: own device profiles

  bool json = false;  ///< exactly one JSON object (or JSON Lines) on stdout
  bool quiet = false;
  bool verbose = false;
  bool debug = false;  ///< show backtraces
  bool color = false;  ///< resolved from --color, NO_COLOR and the terminal
  std::string log_file;
  ProgressStyle progress_style = ProgressStyle::kAuto;
  int threads = 1;             ///< processors to use
  bool threads_given = false;  ///< by the user, not by default
  std::uint64_t seed = 0;

  StopFlag* stop = nullptr;

  std::unique_ptr<Progress> MakeProgressSink() const { return MakeProgress(progress_style, color); }
  /// Data for programs or people: the one writer of stdout.
  void PrintJson(const Json& value) const;
  void Print(const std::string& text) const;
};

}  // namespace nas::cli
