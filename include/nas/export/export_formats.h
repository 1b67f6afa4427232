// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nas {

/// A form that a network is written in: what `--format` calls it, and its file.
struct ExportFormat {
  std::string_view name;
  std::string_view file;  ///< name of the file in the folder of an export
  std::string_view summary;
};

/// All of them, in the order in which they are written. `builtin_exporters.cpp` has the writer of each.
const std::vector<ExportFormat>& ExportFormats();
/// Throws kUsage with the nearest known name.
const ExportFormat& FindExportFormat(std::string_view name);
/// The formats of a comma-separated list, in the order of `ExportFormats`, each once. Throws kUsage when it is empty
/// and like `FindExportFormat`.
std::vector<std::string> ParseFormatList(std::string_view list);

/// Name of the passport beside the exported files.
inline constexpr char kPassportFile[] = "passport.json";

}  // namespace nas
