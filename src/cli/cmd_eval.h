// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas eval`: accuracy of weights or of many architectures.
Run ConfigureEval(FlagSet& flags);

}  // namespace nas::cli
