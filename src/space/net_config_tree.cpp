// SPDX-License-Identifier: Apache-2.0
// PyramidTreeNet, the published CIFAR-10 family (proxyless.md §13, §19): transition blocks and residual blocks around
// tree cells.
#include <nlohmann/json.hpp>

#include "architecture_rules.h"
#include "nas/core/text.h"
#include "net_config_layers.h"
#include "ops/op_rules.h"

namespace nas::detail {
namespace {

const std::vector<std::string> kTreeLayers = {"ConvLayer", "DepthConvLayer", "PoolingLayer", "IdentityLayer"};

/// "tree_node_config" of the network: what it says replaces the nodes' own values.
struct NodeOverrides {
  std::string split, merge;
  bool has_split = false, has_merge = false, has_bn = false, bn = false, has_drop = false;
  double drop = 0;
};

std::string ReadWay(ObjectReader& reader, const std::string& key, const std::vector<std::string>& ways,
                    const std::string& fallback) {
  if (reader.IsNull(key)) {
    return {};
  }
  return reader.Has(key) ? reader.Choice(key, ways) : fallback;
}

NodeOverrides ReadOverrides(ObjectReader& root) {
  NodeOverrides overrides;
  if (root.Has("tree_node_config")) {
    ObjectReader reader = root.Object("tree_node_config");
    overrides.has_split = reader.Has("split_type");
    overrides.split = ReadWay(reader, "split_type", {"copy", "split"}, "");
    overrides.has_merge = reader.Has("merge_type");
    overrides.merge = ReadWay(reader, "merge_type", {"add", "concat"}, "");
    overrides.has_bn = reader.Has("has_branch_bn");
    overrides.bn = reader.Bool("has_branch_bn", false);
    overrides.has_drop = reader.Has("path_drop_rate");
    overrides.drop = reader.Number("path_drop_rate", 0);
    reader.Finish();
  }
  return overrides;
}

/// The published loader applies the overrides to the cell's first child and all nodes below it, and takes the branch BN
/// from those below.
void Apply(const NodeOverrides& overrides, Layer& node, bool below) {
  if (node.op != "tree_node") return;
  if (overrides.has_split) node.split = overrides.split;
  if (overrides.has_merge) node.merge = overrides.merge;
  if (overrides.has_drop) node.dropout = overrides.drop;
  if (below) {
    node.use_bn = false;
  } else if (overrides.has_bn) {
    node.use_bn = overrides.bn;
  }
  for (Layer& child : node.children) Apply(overrides, child, true);
}

Layer AbsentLayer(int channels) {
  Layer layer;
  layer.op = "identity";
  layer.in_channels = layer.out_channels = channels;
  layer.use_bn = false;
  return layer;
}

Layer ReadTreeNode(const JsonDocument& document, const std::string& pointer, const std::string& name, int depth) {
  ObjectReader reader(document, pointer);
  if (depth > kMaxDepth) reader.Fail("", StrCat("tree nodes nested deeper than ", kMaxDepth));
  if (reader.Has("name")) reader.Choice("name", {"TreeNode"});
  Layer node;
  node.name = name;
  node.op = "tree_node";
  node.in_channels = ReadChannels(reader, "in_channels");
  node.out_channels = ReadChannels(reader, "out_channels");
  node.split = ReadWay(reader, "split_type", {"copy", "split"}, "copy");
  node.merge = ReadWay(reader, "merge_type", {"add", "concat"}, "add");
  node.use_bn = reader.Bool("has_branch_bn", false);
  node.dropout = reader.Number("path_drop_rate", 0);
  const Json& edges = reader.Raw("edges");
  const Json& children = reader.Raw("child_nodes");
  if (!edges.is_array() || edges.empty() || edges.size() > 64) {
    reader.Fail("edges", "must be a list of 1 to 64 layers");
  }
  if (!children.is_array() || children.size() != edges.size()) {
    reader.Fail("child_nodes", StrCat("must be a list of ", edges.size(), " nodes or nulls, one per edge"));
  }
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const auto branches = static_cast<int>(edges.size());
    const auto index = static_cast<int>(i);
    int channels = node.in_channels;
    if (node.split == "split") channels = channels / branches + (index < channels % branches ? 1 : 0);
    Layer edge = edges[i].is_null()
                     ? AbsentLayer(channels)
                     : ReadNetConfigLayer(ObjectReader(document, StrCat(pointer, "/edges/", i)), kTreeLayers);
    edge.name = StrCat("edges.", i);
    const std::string child_name = StrCat("child_nodes.", i);
    Layer child = children[i].is_null()
                      ? AbsentLayer(edge.out_channels)
                      : ReadTreeNode(document, StrCat(pointer, "/child_nodes/", i), child_name, depth + 1);
    child.name = child_name;
    node.children.push_back(std::move(edge));
    node.children.push_back(std::move(child));
  }
  reader.Finish();
  return node;
}

Layer ReadOptional(ObjectReader& reader, const std::string& key, int channels) {
  Layer layer = reader.Has(key) ? ReadNetConfigLayer(reader.Object(key), kTreeLayers) : AbsentLayer(channels);
  layer.name = key;
  return layer;
}

Layer ReadTransition(ObjectReader& reader) {
  Layer block;
  block.op = "transition";
  for (const ObjectReader& inner : reader.Objects("layers")) {
    Layer layer = ReadNetConfigLayer(inner, kTreeLayers);
    layer.name = StrCat("layers.", block.children.size());
    block.children.push_back(std::move(layer));
  }
  if (block.children.empty()) reader.Fail("layers", "a TransitionBlock needs at least one layer");
  block.in_channels = block.children.front().in_channels;
  block.out_channels = block.children.back().out_channels;
  return block;
}

Layer ReadResidualTree(ObjectReader& reader, const std::string& pointer, const NodeOverrides& overrides, int channels) {
  Layer block;
  block.op = "residual_tree";
  block.in_channels = channels;
  Layer shortcut = ReadOptional(reader, "shortcut", channels);
  Layer in_bottle = ReadOptional(reader, "in_bottle", channels);
  Layer cell = ReadTreeNode(reader.document(), pointer + "/cell", "cell", 0);
  reader.Ignore("cell");
  if (cell.children[1].op == "tree_node") Apply(overrides, cell.children[1], /*below=*/false);
  Layer out_bottle = ReadOptional(reader, "out_bottle", cell.out_channels);
  block.out_channels = out_bottle.out_channels;
  block.use_bn = reader.Bool("final_bn", true);
  block.dropout = reader.Number("cell_drop_rate", 0);
  block.children = {std::move(shortcut), std::move(in_bottle), std::move(cell), std::move(out_bottle)};
  return block;
}

Json WriteTreeNode(const Layer& node);

Json WriteTreeLayer(const Layer& layer) {
  if (layer.op == "conv") return WriteConv(layer);
  if (layer.op == "depth_conv") return WriteDepthConv(layer);
  if (layer.op == "pool") return WritePooling(layer);
  if (layer.op == "identity") return WriteIdentity(layer);
  FailNotInNetConfig(layer);
}

Json WriteTreeNode(const Layer& node) {
  Json out = {{"name", "TreeNode"},
              {"in_channels", node.in_channels},
              {"out_channels", node.out_channels},
              {"split_type", node.split.empty() ? Json() : Json(node.split)},
              {"merge_type", node.merge.empty() ? Json() : Json(node.merge)},
              {"has_branch_bn", node.use_bn},
              {"path_drop_rate", WriteNumber(node.dropout)},
              {"edges", Json::array()},
              {"child_nodes", Json::array()}};
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    out["edges"].push_back(WriteTreeLayer(node.children[i]));
    const Layer& child = node.children[i + 1];
    out["child_nodes"].push_back(child.op == "tree_node" ? WriteTreeNode(child) : Json());
  }
  return out;
}

Json WriteBlock(const Layer& block) {
  if (block.op == "transition") {
    Json layers = Json::array();
    for (const Layer& layer : block.children) layers.push_back(WriteTreeLayer(layer));
    return {{"name", "TransitionBlock"}, {"layers", std::move(layers)}};
  }
  if (block.op != "residual_tree" || block.children.size() != 4 || block.children[2].op != "tree_node") {
    FailNotInNetConfig(block);
  }
  return {{"name", "ResidualTreeBlock"},
          {"cell_drop_rate", WriteNumber(block.dropout)},
          {"final_bn", block.use_bn},
          {"shortcut", WriteTreeLayer(block.children[0])},
          {"in_bottle", WriteTreeLayer(block.children[1])},
          {"out_bottle", WriteTreeLayer(block.children[3])},
          {"cell", WriteTreeNode(block.children[2])}};
}

}  // namespace

void ReadPyramidTree(ObjectReader& root, NetConfigLayers& net) {
  const NodeOverrides overrides = ReadOverrides(root);
  std::vector<ObjectReader> blocks = root.Objects("blocks");
  if (blocks.empty() || blocks.size() > kMaxLayers) {
    root.Fail("blocks", StrCat(blocks.size(), " blocks; from 1 to ", kMaxLayers, " are possible"));
  }
  int cells = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::string kind = blocks[i].Choice("name", {"TransitionBlock", "ResidualTreeBlock"});
    Layer block = kind == "TransitionBlock"
                      ? ReadTransition(blocks[i])
                      : ReadResidualTree(blocks[i], StrCat("/blocks/", i), overrides, net.channels());
    blocks[i].Finish();
    if (kind != "TransitionBlock") ++cells;
    block.name = StrCat("blocks.", i);
    net.Add(std::move(block), blocks[i].Where());
  }
  // A drop rate of the network replaces those of its blocks; "linear" lets it grow to twice the mean.
  const std::string scheme = root.String("cell_drop_scheme", "linear");
  if (root.Has("cell_drop_rate")) {
    const double rate = root.Number("cell_drop_rate");
    int cell = 0;
    for (Layer& layer : net.layers) {
      if (layer.op != "residual_tree") continue;
      layer.dropout = scheme == "linear" ? 2 * ++cell * rate / (cells + 1) : rate;
    }
  }
}

Json WritePyramidTree(const Architecture& architecture) {
  Json blocks = Json::array();
  Json classifier;
  for (const Layer& layer : architecture.layers) {
    if (layer.op == "linear") {
      classifier = WriteLinear(layer);
    } else {
      blocks.push_back(WriteBlock(layer));
    }
  }
  return {{"blocks", std::move(blocks)}, {"classifier", std::move(classifier)}};
}

}  // namespace nas::detail
