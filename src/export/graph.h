// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nas/nn/network.h"
#include "nas/space/architecture.h"

namespace nas::detail {

/// What runtimes have an operator for. Inference only: dropout is gone.
enum class GraphOp {
  kConv,       ///< weights [C_out, C_in/groups, k, k], optional bias
  kBatchNorm,  ///< with running statistics
  kActivation,
  kAdd,
  kMul,            ///< second input [N, C, 1, 1]
  kGlobalAvgPool,  ///< [N, C, H, W] → [N, C, 1, 1]
  kAvgPool,        ///< padding does not count
  kMaxPool,
  kLinear,       ///< flattens first
  kSlice,        ///< channels [first, first + count)
  kConcat,       ///< over channels
  kPadChannels,  ///< `count` zero channels behind the last one
  kShuffle,      ///< channel shuffle over `groups`
};

struct GraphValue {
  MapShape shape;
  bool flat = false;  ///< [N, channels] instead of [N, channels, side, side]
};

struct GraphNode {
  GraphOp op = GraphOp::kConv;
  std::string name;         ///< unique; the place of its tensors in the state dict where it has some
  std::vector<int> inputs;  ///< indices of values
  int output = 0;
  Activation act = Activation::kNone;
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  int dilation = 1;
  int groups = 1;
  int first = 0;
  int count = 0;
  bool ceil = false;  ///< kAvgPool: a last window that hangs over counts
};

/// A network as a list of plain operations in the order in which they run: what the writers of runnable formats
/// translate. Value 0 is the input.
struct Graph {
  Architecture architecture;
  std::vector<GraphValue> values;
  std::vector<GraphNode> nodes;
  int output = 0;
  std::map<std::string, at::Tensor> tensors;  ///< by state-dict name

  /// `<node>.<part>` of the state dict, undefined when there is none.
  at::Tensor Tensor(const GraphNode& node, std::string_view part) const;
};

/// The graph of a network, of what its tensors say about BN: folded ones are gone. Throws kInput for an op without a
/// translation.
Graph BuildGraph(const Network& network);

/// Names of the ops that `BuildGraph` translates, in catalogue order.
std::vector<std::string> GraphOpNames();

}  // namespace nas::detail
