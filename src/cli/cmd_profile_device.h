// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas profile-device`: measure this machine.
Run ConfigureProfileDevice(FlagSet& flags);

}  // namespace nas::cli
