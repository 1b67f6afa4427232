// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas bench`: speed and memory on this machine.
Run ConfigureBench(FlagSet& flags);

}  // namespace nas::cli
