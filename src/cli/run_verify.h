// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/export/export_options.h"
#include "session.h"

namespace nas::cli {

/// Checks a passport and prints what holds. Returns the exit code of a failed verification when something does not.
int RunVerify(const VerifyOptions& options, const Session& session);

}  // namespace nas::cli
