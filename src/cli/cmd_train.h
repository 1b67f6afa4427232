// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas train`: train an architecture; the result is a normal network.
Run ConfigureTrain(FlagSet& flags);

}  // namespace nas::cli
