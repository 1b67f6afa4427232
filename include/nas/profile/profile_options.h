// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nas/core/json.h"
#include "nas/space/search_space.h"

namespace nas {

/// What `nas profile-device` can be told.
struct ProfileOptions {
  std::string engine = "libtorch";     ///< name in the list of engines
  std::string transport = "local";     ///< how the device is reached (device/transport.h): local, ssh://…, adb:…
  std::string device = "cpu";          ///< of this machine
  std::string command;                 ///< engine `command`: the runtime's program
  std::string ssh_config;              ///< file for `ssh -F`; "" = the user's own
  double silence_seconds = 120;        ///< a device that says nothing for so long has hung
  std::string space = "cifar-mbconv";  ///< shipped name or file: whose blocks and networks are measured
  SpaceOptions space_options;
  std::string plan = "quick";  ///< quick | full
  int threads = 1;
  std::string cores;         ///< hexadecimal core mask; "" = the fastest cluster
  int batch = 1;             ///< images per forward call
  int held_out = 0;          ///< networks kept out of all fits; 0 = the plan's number
  bool isolated = false;     ///< blocks alone in a loop instead of between their neighbours
  bool again = false;        ///< a second run into the table at `out`: gives the noise between runs
  bool resume = false;       ///< go on with `<out>.partial.jsonl`
  bool force = false;        ///< replace the table at `out`
  bool dry_run = false;      ///< only say what would be measured
  bool allow_noisy = false;  ///< give a table even from a machine too noisy for figures
  std::string out;           ///< table file
  std::string name;          ///< of the table; "" = stem of `out`
  std::uint64_t seed = 0;    ///< draws networks and the order of measuring

  /// Throws kUsage naming flag, value and what is legal.
  void Validate() const;
};

const std::vector<std::string>& ProfilePlanNames();

}  // namespace nas
