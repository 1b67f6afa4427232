// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/space/block_key.h"  // IWYU pragma: export
