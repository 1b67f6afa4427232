// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas version`: versions of everything linked.
Run ConfigureVersion(FlagSet& flags);

}  // namespace nas::cli
