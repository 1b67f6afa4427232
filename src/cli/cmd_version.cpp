// SPDX-License-Identifier: Apache-2.0
#include "cmd_version.h"

#include <filesystem>

#include "compute.h"
#include "version_report.h"

namespace nas::cli {

Run ConfigureVersion(FlagSet& flags) {
  SetExamples(flags, "  nas version\n  nas version --json");
  return [](const Session& session) {
    std::error_code ignored;
    if (std::filesystem::exists(session.bin_dir.parent_path() / "libexec" / "nas-torch", ignored))
      return compute::Version(session);
    return PrintVersion({}, session);
  };
}

}  // namespace nas::cli
