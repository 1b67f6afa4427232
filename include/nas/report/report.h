// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nas/report/run_record.h"

namespace nas {

/// One self-contained HTML page about runs: works from disk without network, with and without scripts, on paper too.
/// Several runs are compared first, then shown one by one.
std::string ReportPage(const std::vector<RunRecord>& runs);

/// A file beside the page: each figure as stand-alone SVG, each table as CSV.
struct ReportFile {
  std::string name;  ///< "cpu-50pct-expected.csv"; prefixed by the run's name where there are several
  std::string content;
};
std::vector<ReportFile> ReportFiles(const std::vector<RunRecord>& runs);

/// Reads the runs and writes the page; `data_dir` (may be empty) gets the files beside it.
/// Throws kInput for folders that are no runs' and places that cannot be written.
void WriteReport(const std::vector<std::filesystem::path>& runs, const std::vector<std::string>& space_dirs,
                 const std::filesystem::path& out, const std::filesystem::path& data_dir);

}  // namespace nas
