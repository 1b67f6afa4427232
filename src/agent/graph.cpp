// SPDX-License-Identifier: Apache-2.0
#include "graph.h"

#include <cmath>

#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"

namespace nas::agent {
namespace {

using Kind = GraphOp::Kind;

class Builder {
 public:
  Builder(MapShape input, int batch, std::uint64_t seed) : rng_(seed) {
    graph_.batch = batch;
    graph_.maps.push_back(input);
  }

  void Add(const BlockKey& key) {
    const MapShape now = graph_.maps.back();
    if (now.side != key.h || now.channels != key.cin) {
      ThrowInput(StrCat("block ", ToString(key), " follows a map of ", now.channels, " channels and side ", now.side));
    }
    switch (key.op) {
      case BlockOp::kMbconv:
        return AddMbconv(key);
      case BlockOp::kConv:
        return Conv(key.cout, 3, key.h == key.hout ? 1 : 2, BlockAct::kRelu6);
      case BlockOp::kConv1:
        return Conv(key.cout, 1, 1, BlockAct::kRelu6);
      case BlockOp::kConv2:
        return Conv(key.cout, 1, 1, BlockAct::kHSwish);
      case BlockOp::kConv1x1:
        return Conv(key.cout, 1, key.s, BlockAct::kNone);
      case BlockOp::kAvgPool:
        return Pool();
      case BlockOp::kLogits:
        if (key.h > 1) Pool();
        return Conv(key.cout, 1, 1, BlockAct::kNone);
    }
  }

  Graph Take() { return std::move(graph_); }

 private:
  int Last() const { return static_cast<int>(graph_.maps.size()) - 1; }

  GraphOp& Push(Kind kind, int input, MapShape output) {
    graph_.maps.push_back(output);
    GraphOp op;
    op.kind = kind;
    op.input = input;
    op.output = Last();
    graph_.ops.push_back(std::move(op));
    return graph_.ops.back();
  }

  // Uniform with the variance that keeps activations in size (He et al., 2015): no zeros, no denormals.
  void Draw(GraphOp& op, std::int64_t count, int fan_in, int channels) {
    const double bound = std::sqrt(6.0 / fan_in);
    op.weights.resize(static_cast<std::size_t>(count));
    for (float& w : op.weights) w = static_cast<float>(bound * (2 * rng_.Uniform() - 1));
    op.bias.resize(static_cast<std::size_t>(channels));
    for (float& b : op.bias) b = static_cast<float>(0.1 * (2 * rng_.Uniform() - 1));
  }

  void Activate(GraphOp& op, BlockAct act) {
    if (act == BlockAct::kRelu || act == BlockAct::kRelu6) op.low = 0;
    if (act == BlockAct::kRelu6) op.high = 6;
    if (act == BlockAct::kHSwish) Push(Kind::kHSwish, Last(), graph_.maps.back());
  }

  void Conv(int channels, int kernel, int stride, BlockAct act) {
    const MapShape in = graph_.maps.back();
    GraphOp& op = Push(Kind::kConv, Last(), {(in.side - 1) / stride + 1, channels});
    op.kernel = kernel;
    op.stride = stride;
    Draw(op, std::int64_t{channels} * kernel * kernel * in.channels, kernel * kernel * in.channels, channels);
    Activate(op, act);
  }

  void Depthwise(int kernel, int stride, BlockAct act) {
    const MapShape in = graph_.maps.back();
    GraphOp& op = Push(Kind::kDepthwise, Last(), {(in.side - 1) / stride + 1, in.channels});
    op.kernel = kernel;
    op.stride = stride;
    Draw(op, std::int64_t{kernel} * kernel * in.channels, kernel * kernel, in.channels);
    Activate(op, act);
  }

  void Pool() { Push(Kind::kGlobalPool, Last(), {1, graph_.maps.back().channels}); }

  void SqueezeExcite(int mid) {
    const int map = Last();
    Pool();
    Conv(SeWidth(mid), 1, 1, BlockAct::kRelu);
    Conv(mid, 1, 1, BlockAct::kNone);
    Push(Kind::kHSigmoid, Last(), graph_.maps.back());
    const int gate = Last();
    Push(Kind::kScale, map, graph_.maps[map]).other = gate;
  }

  void AddMbconv(const BlockKey& key) {
    const int start = Last();
    if (HasExpand(key)) Conv(key.mid, 1, 1, key.act);
    Depthwise(key.k, key.s, key.act);
    if (key.se) SqueezeExcite(key.mid);
    Conv(key.cout, 1, 1, BlockAct::kNone);
    if (key.skip) Push(Kind::kAdd, Last(), graph_.maps.back()).other = start;
  }

  CounterRng rng_;
  Graph graph_;
};

}  // namespace

std::int64_t Graph::call_bytes() const {
  std::int64_t elements = 0;
  for (const MapShape& map : maps) elements += batch * map.elements();
  std::int64_t bytes = elements * static_cast<std::int64_t>(sizeof(float));
  for (const GraphOp& op : ops) {
    bytes += static_cast<std::int64_t>((op.weights.size() + op.bias.size()) * sizeof(float));
  }
  return bytes;
}

Graph BuildGraph(const std::vector<BlockKey>& keys, int batch, std::uint64_t seed) {
  if (keys.empty()) ThrowInput("an item without blocks");
  Builder builder({keys.front().h, keys.front().cin}, batch, seed);
  for (const BlockKey& key : keys) builder.Add(key);
  return builder.Take();
}

}  // namespace nas::agent
