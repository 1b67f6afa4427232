// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "session.h"

namespace CLI {
class App;
}

namespace nas::cli {

/// The flags that every verb takes.
struct SessionFlags {
  bool json = false;
  std::vector<std::string> set;
  std::string config;
  bool print_config = false;
  bool quiet = false;
  bool verbose = false;
  bool debug = false;
  std::string log_file;
  std::string color = "auto";
  std::string progress = "auto";
  int threads = 0;
  std::uint64_t seed = 0;

  void AddTo(CLI::App* app);
  /// Sets up log, colour and progress. Throws kUsage on a bad value.
  void Apply(Session* session) const;
};

/// Fills in where this program, its data and its cache are. Reads the environment, once.
void LocatePlaces(Session* session);

}  // namespace nas::cli
