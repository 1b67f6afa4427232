// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/space/op_catalogue.h"

namespace nas::detail {

// One function per file of this folder; builtin_ops.cpp puts them in catalogue order.
const Op& ConvOp();
const Op& MbconvOp();
const Op& ZeroOp();
const Op& IdentityOp();
const Op& LinearOp();
const Op& GlobalAvgPoolOp();
const Op& PoolOp();
const Op& MaxPoolOp();
const Op& DepthConvOp();
const Op& BottleneckOp();
const Op& TransitionOp();
const Op& TreeNodeOp();
const Op& ResidualTreeOp();

}  // namespace nas::detail
