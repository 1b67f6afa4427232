// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas verify`: checks a passport again.
Run ConfigureVerify(FlagSet& flags);

}  // namespace nas::cli
