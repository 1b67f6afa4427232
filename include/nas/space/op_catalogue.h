// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nas/core/units.h"
#include "nas/space/layer.h"

namespace nas {

/// What the project knows about one kind of layer without running it. Counting rules: proxylessnas `count_flops`:
/// MACs of convs and linears only; BN, activation, add and pooling count 0. Params = weights, linear bias, 2 per BN
/// channel.
class Op {
 public:
  virtual ~Op() = default;
  virtual std::string_view name() const = 0;
  /// Throws kInput naming the layer and the field when the layer is not legal for a map of shape `in`.
  virtual void Check(const Layer& layer, MapShape in) const = 0;
  virtual MapShape OutputShape(const Layer& layer, MapShape in) const = 0;
  virtual std::int64_t Params(const Layer& layer) const = 0;
  virtual Macs CountMacs(const Layer& layer, MapShape in) const = 0;
  /// Kernel launches on a GPU when BN and activation are fused (latency of small batches); 0 for nothing to run.
  virtual int Launches(const Layer& layer) const = 0;
  /// Block key of the latency tables `op:h,cin,hout,cout,mid,k,s,skip,se,act`; "" = costs nothing.
  /// Throws kInput "no latency model for X" for ops that no table covers.
  virtual std::string LatencyKey(const Layer& layer, MapShape in) const = 0;
  /// Short name for people: `k5e6`, `Zero`, `conv3x3 s2`.
  virtual std::string Label(const Layer& layer) const = 0;
};

/// The op of a layer. Throws kInput with the nearest known name.
const Op& FindOp(std::string_view name);
/// All ops, in catalogue order; `builtin_ops.cpp` is the one list.
const std::vector<const Op*>& BuiltinOps();

}  // namespace nas
