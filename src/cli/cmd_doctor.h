// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas doctor`: what this machine offers and lacks.
Run ConfigureDoctor(FlagSet& flags);

}  // namespace nas::cli
