// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas completion`: shell completion and the manual page, from the flags themselves.
Run ConfigureCompletion(FlagSet& flags);

}  // namespace nas::cli
