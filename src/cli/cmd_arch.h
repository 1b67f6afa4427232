// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas arch`: architectures: show, convert, diff.
Run ConfigureArch(FlagSet& flags);

}  // namespace nas::cli
