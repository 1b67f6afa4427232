// SPDX-License-Identifier: Apache-2.0
// As torch_test.h for tests that need tensors only: ATen compiles in a third of the time of the whole LibTorch.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#undef CHECK
#include "support/catch_compat.h"
