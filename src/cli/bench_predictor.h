// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "session.h"

namespace nas::cli {

/// Whole networks of `proxyless-mobile` predicted per second on one core with the compiled table of a phone, round by
/// round.
std::vector<double> MeasureNetworksPerSecond(const Session& session);

/// Milliseconds of one fit of a model with residual to 500 block rows, fit by fit.
std::vector<double> MeasureFit(const Session& session);

}  // namespace nas::cli
