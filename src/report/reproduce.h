// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/report/run_record.h"

namespace nas::detail {

/// The command that would do the run again, from its recorded options: those that differ from what is built in, and the
/// seed.
std::string ReproduceCommand(const RunRecord& run);

}  // namespace nas::detail
