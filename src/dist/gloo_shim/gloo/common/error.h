// SPDX-License-Identifier: Apache-2.0
// Stands in for a header of gloo, which LibTorch holds but does not ship: only what ProcessGroupGloo.hpp names.
#pragma once
