// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "nas/space/block_key.h"

namespace nas::agent {

/// A feature map [batch, side, side, channels], NHWC f32.
struct MapShape {
  int side = 0;
  int channels = 0;
  std::int64_t elements() const { return std::int64_t{side} * side * channels; }  ///< of one image
};

/// One operation, as inference runtimes have it: BN is folded, clamping activations are part of the convolution.
struct GraphOp {
  enum class Kind {
    kConv,        ///< weights [out, k, k, in], bias [out], padding k/2
    kDepthwise,   ///< weights [k, k, channels], bias [channels], padding k/2
    kAdd,         ///< input + other
    kGlobalPool,  ///< mean over the map
    kHSwish,      ///< x·clip(x + 3, 0, 6)/6
    kHSigmoid,    ///< clip(x + 3, 0, 6)/6
    kScale        ///< input · other, other [batch, 1, 1, channels]
  };
  Kind kind = Kind::kConv;
  int input = 0;
  int other = -1;
  int output = 0;
  int kernel = 1;
  int stride = 1;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  std::vector<float> weights, bias;
};

/// Blocks in a row as a list of operations; maps are numbered, map 0 is the input, the last one the output.
struct Graph {
  int batch = 1;
  std::vector<MapShape> maps;
  std::vector<GraphOp> ops;

  const MapShape& input() const { return maps.front(); }
  const MapShape& output() const { return maps.back(); }
  /// Bytes that a call touches: weights, and all maps once.
  std::int64_t call_bytes() const;
};

/// The graph of blocks with weights drawn from a seed. Throws kInput when a block does not take what the one before it
/// gives.
Graph BuildGraph(const std::vector<BlockKey>& keys, int batch, std::uint64_t seed);

}  // namespace nas::agent
