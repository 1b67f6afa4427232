// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas cancel`: stop runs for good, with a checkpoint unless told otherwise.
Run ConfigureCancel(FlagSet& flags);

}  // namespace nas::cli
