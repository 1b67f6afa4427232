// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nas/device/engine.h"

namespace nas {

/// `BuiltinEngines()` and those that run networks in this process through LibTorch. Library nas_device_local.
const std::vector<EngineEntry>& LocalEngines();

}  // namespace nas
