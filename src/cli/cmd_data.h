// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas data`: what the loader would make of a data set.
Run ConfigureData(FlagSet& flags);

}  // namespace nas::cli
