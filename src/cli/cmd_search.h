// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas search`: supernet, search under a constraint, selection, evaluation, run folder.
Run ConfigureSearch(FlagSet& flags);

}  // namespace nas::cli
