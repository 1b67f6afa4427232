// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verb.h"

namespace nas::cli {

/// `nas predict`: latency, MACs and params of architectures.
Run ConfigurePredict(FlagSet& flags);

}  // namespace nas::cli
