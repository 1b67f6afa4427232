// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas predictor`: latency tables: fit, eval, transfer, show, import.
Run ConfigurePredictor(FlagSet& flags);

}  // namespace nas::cli
