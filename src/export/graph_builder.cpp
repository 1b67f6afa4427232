// SPDX-License-Identifier: Apache-2.0
// From an architecture and its tensors to a graph: what each op of the catalogue computes, once more in terms of plain
// operations. The verifiers compare the outcome with the modules of `nn`, which are the reference.
#include <array>
#include <utility>

#include <ATen/ATen.h>

#include "graph.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/nn/state_dict.h"
#include "nas/space/branch_part.h"

namespace nas::detail {
namespace {

struct Window {
  int kernel = 1;
  int stride = 1;
  int dilation = 1;
  int groups = 1;
};

std::string Under(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

class GraphBuilder {
 public:
  using Translate = int (GraphBuilder::*)(const Layer& layer, int x, const std::string& prefix);
  struct Translation {
    const char* op;
    Translate translate;
  };
  static const std::array<Translation, 13>& Translations();

  explicit GraphBuilder(const Network& network) {
    graph_.architecture = network.architecture();
    for (const auto& [name, tensor] : network.NamedTensors()) graph_.tensors.emplace(name, tensor.detach());
  }

  Graph Build() {
    const Architecture& a = graph_.architecture;
    graph_.values.push_back({{a.resolution, 3}, false});
    int x = 0;
    for (std::size_t i = 0; i < a.layers.size(); ++i) {
      place_ = a.layers[i].name.empty() ? StrCat("layer", i) : a.layers[i].name;
      x = Block(a.layers[i], x, StateDictPrefix(a.family, a.layers[i]));
    }
    graph_.output = x;
    return std::move(graph_);
  }

 private:
  MapShape Shape(int value) const { return graph_.values[static_cast<std::size_t>(value)].shape; }
  bool Has(const std::string& tensor) const { return graph_.tensors.count(tensor) != 0; }

  int Emit(GraphNode node, GraphValue out) {
    if (node.name.empty()) node.name = StrCat(place_, "/", graph_.nodes.size());
    node.output = static_cast<int>(graph_.values.size());
    graph_.values.push_back(out);
    graph_.nodes.push_back(std::move(node));
    return graph_.nodes.back().output;
  }

  /// With "same" padding dilation·⌊k/2⌋.
  int Conv(int x, const std::string& name, const Window& window) {
    GraphNode node{.op = GraphOp::kConv, .name = name, .inputs = {x}};
    node.kernel = window.kernel;
    node.stride = window.stride;
    node.dilation = window.dilation;
    node.groups = window.groups;
    node.padding = window.dilation * (window.kernel / 2);
    const int channels = static_cast<int>(graph_.tensors.at(name + ".weight").size(0));
    return Emit(std::move(node), {{(Shape(x).side - 1) / window.stride + 1, channels}, false});
  }

  /// Nothing where the BN has been folded.
  int Norm(int x, const std::string& name) {
    if (!Has(name + ".weight")) return x;
    return Emit({.op = GraphOp::kBatchNorm, .name = name, .inputs = {x}}, graph_.values[static_cast<std::size_t>(x)]);
  }

  int Act(int x, Activation act) {
    if (act == Activation::kNone) return x;
    return Emit({.op = GraphOp::kActivation, .name = "", .inputs = {x}, .act = act},
                graph_.values[static_cast<std::size_t>(x)]);
  }

  int ConvNorm(int x, const std::string& name, const Window& window, Activation act) {
    return Act(Norm(Conv(x, name + ".conv", window), name + ".bn"), act);
  }

  int Add(int x, int y) {
    return Emit({.op = GraphOp::kAdd, .name = "", .inputs = {x, y}}, graph_.values[static_cast<std::size_t>(x)]);
  }

  int GlobalMean(int x) {
    return Emit({.op = GraphOp::kGlobalAvgPool, .name = "", .inputs = {x}}, {{1, Shape(x).channels}, false});
  }

  int SqueezeExcite(int x, const std::string& name) {
    const int hidden = Act(Conv(GlobalMean(x), name + ".fc.reduce", {}), Activation::kRelu);
    const int gate = Act(Conv(hidden, name + ".fc.expand", {}), Activation::kHSigmoid);
    return Emit({.op = GraphOp::kMul, .name = "", .inputs = {x, gate}}, graph_.values[static_cast<std::size_t>(x)]);
  }

  int Shuffle(int x, int groups) {
    GraphNode node{.op = GraphOp::kShuffle, .name = "", .inputs = {x}};
    node.groups = groups;
    return Emit(std::move(node), graph_.values[static_cast<std::size_t>(x)]);
  }

  /// Weights, BN and activation in the order of the layer.
  template <typename Weigh>
  int Ordered(const Layer& layer, int x, const std::string& prefix, const Weigh& weigh) {
    for (const std::string& step : Split(layer.ops_order, '_')) {
      if (step == "weight") x = weigh(x);
      if (step == "bn") x = Norm(x, Under(prefix, "bn"));
      if (step == "act") x = Act(x, layer.act);
    }
    return x;
  }

  int ConvOp(const Layer& layer, int x, const std::string& prefix) {
    x = Ordered(layer, x, prefix, [&](int v) {
      v = Conv(v, Under(prefix, "conv"), {layer.kernel, layer.stride, layer.dilation, layer.groups});
      return layer.shuffle && layer.groups > 1 ? Shuffle(v, layer.groups) : v;
    });
    return layer.use_se ? SqueezeExcite(x, Under(prefix, "se")) : x;
  }

  int MbconvOp(const Layer& layer, int x, const std::string& prefix) {
    if (layer.expand_ratio != 1) x = ConvNorm(x, Under(prefix, "inverted_bottleneck"), {}, layer.act);
    const int mid = Shape(x).channels;
    x = ConvNorm(x, Under(prefix, "depth_conv"),
                 {layer.kernel, layer.stride, /*dilation=*/1, layer.groups == 0 ? mid : layer.groups}, layer.act);
    if (layer.use_se) x = SqueezeExcite(x, Under(prefix, "depth_conv.se"));
    return ConvNorm(x, Under(prefix, "point_linear"), {}, Activation::kNone);
  }

  int ZeroOp(const Layer& layer, int /*x*/, const std::string& /*prefix*/) {
    ThrowInternal(StrCat("layer \"", layer.name, "\" is a zero without a shortcut"));
  }

  int IdentityOp(const Layer& layer, int x, const std::string& prefix) {
    return Ordered(layer, x, prefix, [](int v) { return v; });
  }

  int LinearOp(const Layer& layer, int x, const std::string& prefix) {
    const auto weigh = [&](int v) {
      return Emit({.op = GraphOp::kLinear, .name = Under(prefix, "linear"), .inputs = {v}},
                  {{1, layer.out_channels}, true});
    };
    return Ordered(layer, x, prefix, weigh);
  }

  int GlobalAvgPoolOp(const Layer& /*layer*/, int x, const std::string& /*prefix*/) { return GlobalMean(x); }

  int Pool(int x, bool max, const Window& window, int padding, bool ceil) {
    GraphNode node{.op = max ? GraphOp::kMaxPool : GraphOp::kAvgPool, .name = "", .inputs = {x}};
    node.kernel = window.kernel;
    node.stride = window.stride;
    node.padding = padding;
    node.ceil = ceil;
    const int room = Shape(x).side + 2 * padding - window.kernel;
    const int side = (ceil ? room + window.stride - 1 : room) / window.stride + 1;
    return Emit(std::move(node), {{side, Shape(x).channels}, false});
  }

  int PoolOp(const Layer& layer, int x, const std::string& prefix) {
    return Ordered(layer, x, prefix, [&](int v) {
      return Pool(v, layer.pool == "max", {layer.kernel, layer.stride}, layer.stride == 1 ? layer.kernel / 2 : 0,
                  /*ceil=*/false);
    });
  }

  int MaxPoolOp(const Layer& layer, int x, const std::string& /*prefix*/) {
    return Pool(x, /*max=*/true, {layer.kernel, layer.stride}, layer.kernel / 2, /*ceil=*/false);
  }

  int DepthConvOp(const Layer& layer, int x, const std::string& prefix) {
    return Ordered(layer, x, prefix, [&](int v) {
      v = Conv(v, Under(prefix, "depth_conv"), {layer.kernel, layer.stride, layer.dilation, layer.in_channels});
      v = Conv(v, Under(prefix, "point_conv"), {1, 1, 1, layer.groups});
      return layer.shuffle && layer.groups > 1 ? Shuffle(v, layer.groups) : v;
    });
  }

  int BottleneckOp(const Layer& layer, int x, const std::string& prefix) {
    int y = ConvNorm(x, Under(prefix, "conv1"), {}, layer.act);
    y = ConvNorm(y, Under(prefix, "conv2"), {layer.kernel, layer.stride, 1, layer.groups}, layer.act);
    y = ConvNorm(y, Under(prefix, "conv3"), {}, Activation::kNone);
    int shortcut = x;
    if (layer.stride != 1 || layer.in_channels != layer.out_channels) {
      const bool pooled = layer.pool == "avgpool_conv";
      if (pooled && layer.stride > 1) {
        shortcut = Pool(x, /*max=*/false, {layer.stride, layer.stride}, /*padding=*/0, /*ceil=*/true);
      }
      shortcut = ConvNorm(shortcut, Under(prefix, "downsample"), {1, pooled ? 1 : layer.stride}, Activation::kNone);
    }
    return Act(Add(y, shortcut), layer.act);
  }

  int TransitionOp(const Layer& layer, int x, const std::string& prefix) {
    for (std::size_t i = 0; i < layer.children.size(); ++i) {
      x = Block(layer.children[i], x, Under(prefix, StrCat("layers.", i)));
    }
    return x;
  }

  int TreeNodeOp(const Layer& layer, int x, const std::string& prefix) {
    const int n = static_cast<int>(layer.children.size() / 2);
    GraphNode concat{.op = GraphOp::kConcat, .name = "", .inputs = {}};
    GraphValue joined;
    int sum = -1;
    int first = 0;
    for (int i = 0; i < n; ++i) {
      int part = x;
      if (layer.split == "split") {
        GraphNode slice{.op = GraphOp::kSlice, .name = "", .inputs = {x}};
        slice.first = first;
        slice.count = BranchPart(Shape(x).channels, n, i);
        first += slice.count;
        const MapShape shape{Shape(x).side, slice.count};
        part = Emit(std::move(slice), {shape, false});
      }
      const std::size_t child = 2 * static_cast<std::size_t>(i);
      const int e = Block(layer.children[child], part, Under(prefix, StrCat("edges.", i)));
      int y = Block(layer.children[child + 1], e, Under(prefix, StrCat("child_nodes.", i)));
      if (layer.use_bn) y = Add(e, Norm(y, Under(prefix, StrCat("branch_bns.", i))));
      concat.inputs.push_back(y);
      joined = {{Shape(y).side, joined.shape.channels + Shape(y).channels}, false};
      if (layer.merge != "concat") sum = sum < 0 ? y : Add(sum, y);
    }
    return layer.merge == "concat" ? Emit(std::move(concat), joined) : sum;
  }

  int ResidualTreeOp(const Layer& layer, int x, const std::string& prefix) {
    int shortcut = Block(layer.children.at(0), x, Under(prefix, "shortcut"));
    int y = Block(layer.children.at(1), x, Under(prefix, "in_bottle"));
    y = Block(layer.children.at(2), y, Under(prefix, "cell"));
    y = Block(layer.children.at(3), y, Under(prefix, "out_bottle"));
    y = Norm(y, Under(prefix, "final_bn"));
    const int missing = layer.out_channels - Shape(shortcut).channels;
    if (missing > 0) {
      GraphNode pad{.op = GraphOp::kPadChannels, .name = "", .inputs = {shortcut}};
      pad.count = missing;
      shortcut = Emit(std::move(pad), {{Shape(shortcut).side, layer.out_channels}, false});
    }
    return Add(y, shortcut);
  }

  /// An op and, where the layer has one, the shortcut around it. Zero with its shortcut is the map that enters.
  int Block(const Layer& layer, int x, const std::string& prefix) {
    if (layer.op == "zero" && layer.skip) return x;
    for (const Translation& translation : Translations()) {
      if (translation.op != layer.op) continue;
      const int y = (this->*translation.translate)(layer, x, prefix);
      return layer.skip ? Add(y, x) : y;
    }
    ThrowInput(StrCat("layer \"", layer.name, "\": op \"", layer.op, "\" cannot be exported to a runnable format"));
  }

  Graph graph_;
  std::string place_;  ///< the layer of the network that is being translated
};

const std::array<GraphBuilder::Translation, 13>& GraphBuilder::Translations() {
  static const std::array<Translation, 13> translations = {{{"conv", &GraphBuilder::ConvOp},
                                                            {"mbconv", &GraphBuilder::MbconvOp},
                                                            {"zero", &GraphBuilder::ZeroOp},
                                                            {"identity", &GraphBuilder::IdentityOp},
                                                            {"linear", &GraphBuilder::LinearOp},
                                                            {"global_avg_pool", &GraphBuilder::GlobalAvgPoolOp},
                                                            {"pool", &GraphBuilder::PoolOp},
                                                            {"max_pool", &GraphBuilder::MaxPoolOp},
                                                            {"depth_conv", &GraphBuilder::DepthConvOp},
                                                            {"bottleneck", &GraphBuilder::BottleneckOp},
                                                            {"transition", &GraphBuilder::TransitionOp},
                                                            {"tree_node", &GraphBuilder::TreeNodeOp},
                                                            {"residual_tree", &GraphBuilder::ResidualTreeOp}}};
  return translations;
}

}  // namespace

Graph BuildGraph(const Network& network) { return GraphBuilder(network).Build(); }

std::vector<std::string> GraphOpNames() {
  std::vector<std::string> names;
  for (const GraphBuilder::Translation& translation : GraphBuilder::Translations()) names.emplace_back(translation.op);
  return names;
}

}  // namespace nas::detail
