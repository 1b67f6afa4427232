// SPDX-License-Identifier: Apache-2.0
#include "cmd_doctor.h"

#include <filesystem>

#include "compute.h"
#include "doctor_report.h"

namespace nas::cli {

Run ConfigureDoctor(FlagSet& flags) {
  SetExamples(flags, "  nas doctor\n  nas doctor --json");
  return [](const Session& session) {
    std::error_code ignored;
    if (std::filesystem::exists(session.bin_dir.parent_path() / "libexec" / "nas-torch", ignored))
      return compute::Doctor(session);
    auto checks = CheckMachine(session);
    checks.push_back({"LibTorch", "missing", "this build has no LibTorch part", "run scripts/setup"});
    return PrintDoctor(checks, session);
  };
}

}  // namespace nas::cli
