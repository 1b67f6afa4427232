// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas report`: one HTML page from run folders.
Run ConfigureReport(FlagSet& flags);

}  // namespace nas::cli
