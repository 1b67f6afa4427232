// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "session.h"

namespace nas::cli {

/// One line of `nas doctor`.
struct DoctorCheck {
  std::string name;
  std::string status;  ///< "ok", "warning", "missing"
  std::string detail;
  std::string remedy;  ///< "" when there is nothing to do
};

/// What can be told without LibTorch: processor, memory, clocks, disk, tools, profiles.
std::vector<DoctorCheck> CheckMachine(const Session& session);
/// Prints the table or JSON; 0, or 5 when something that every verb needs is missing.
int PrintDoctor(const std::vector<DoctorCheck>& checks, const Session& session);

}  // namespace nas::cli
