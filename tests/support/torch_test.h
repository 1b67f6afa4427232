// SPDX-License-Identifier: Apache-2.0
// c10 defines CHECK too: LibTorch first, then Catch2 replaces it (the other order silently loses checks).
#pragma once

#include <torch/torch.h>
#undef CHECK
#include "support/catch_compat.h"
