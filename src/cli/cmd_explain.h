// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas explain`: why a run chose what it chose.
Run ConfigureExplain(FlagSet& flags);

}  // namespace nas::cli
