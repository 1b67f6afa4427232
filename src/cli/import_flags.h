// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "flag_set.h"
#include "nas/latency/import_table.h"
#include "session.h"

namespace nas::cli {

/// How a foreign latency file is to be read, and what device its numbers come from.
struct ImportFlags {
  std::string format;
  std::string device_class = "cpu";
  std::string device, runtime;
  std::string model = "unknown";
  std::string engine = "unknown", engine_version = "unknown", precision = "unknown";
  int batch = 0;
  std::string unit = "ms";
  double width = 0;
  std::string column;
  int resolution = 0;
  std::vector<std::string> ignore_columns;
  bool force = false;

  /// `--as`, `--class`, `--device`, …; not `--force`, which some verbs have of their own.
  void AddTo(FlagSet& flags);
  /// All files as one device's data. Throws kUsage without --as; kInput as latency.md §7 says.
  ImportedData Read(const std::vector<std::string>& files) const;
  /// The identity that the flags tell; the rest is "unknown".
  DeviceIdentity Identity(const Session& session) const;
};

/// Throws kInput when `path` exists and may not be replaced.
void CheckNewFile(const std::string& path, bool force);

}  // namespace nas::cli
