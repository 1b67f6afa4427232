// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/export/export_options.h"
#include "session.h"

namespace nas::cli {

/// Collects what an export needs (network, weights, data, where it comes from), writes it, prints what was written.
int RunExport(const ExportOptions& options, const Session& session);

}  // namespace nas::cli
