// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas space`: search spaces: list, show, count, sample, check.
Run ConfigureSpace(FlagSet& flags);

}  // namespace nas::cli
