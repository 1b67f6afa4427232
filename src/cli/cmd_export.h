// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas export`: a network in the forms that other programs read.
Run ConfigureExport(FlagSet& flags);

}  // namespace nas::cli
