// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace nas {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

struct LogOptions {
  LogLevel console = LogLevel::kInfo;  ///< least level shown on stderr
  bool color = false;
  std::string file;  ///< also everything from kDebug up to this file; "" = none
};

/// The log of the process: stderr and an optional file. Safe from several threads; shares its lock with the progress
/// bar. Only the program's entry configures it; libraries below `cli` just write to it. Replaces whatever was
/// configured, added files included.
void ConfigureLog(const LogOptions& options);
/// Adds the run folder's `nas.log` once the folder is known.
void AddLogFile(const std::string& path);

void LogDebug(const std::string& message);
void LogInfo(const std::string& message);
void LogWarning(const std::string& message);
void LogError(const std::string& message);

}  // namespace nas
