// SPDX-License-Identifier: Apache-2.0
// Networks of the families that no shared file covers, as their published classes would write them.
#pragma once

#include <string>
#include <vector>

#include "test_support.h"

namespace nas {

inline Json ConvConfig(int in, int out, int kernel, int stride, const char* act) {
  return {{"name", "ConvLayer"},
          {"kernel_size", kernel},
          {"stride", stride},
          {"dilation", 1},
          {"groups", 1},
          {"bias", false},
          {"has_shuffle", false},
          {"in_channels", in},
          {"out_channels", out},
          {"use_bn", true},
          {"act_func", act},
          {"dropout_rate", 0},
          {"ops_order", "weight_bn_act"}};
}

inline Json LinearConfig(int in, int out) {
  return {{"name", "LinearLayer"}, {"in_features", in},   {"out_features", out}, {"bias", true},
          {"use_bn", false},       {"act_func", nullptr}, {"dropout_rate", 0},   {"ops_order", "weight_bn_act"}};
}

/// OFA's ResNet-50 ("conv") or ResNet-50D ("avgpool_conv", three-layer stem).
inline Json ResNet50Config(bool d) {
  Json config = {{"name", "ResNets"}, {"bn", {{"momentum", 0.1}, {"eps", 1e-5}, {"ws_eps", nullptr}}}};
  config["input_stem"] = Json::array();
  if (d) {
    Json conv = ConvConfig(32, 32, 3, 1, "relu");
    conv["use_se"] = false;
    config["input_stem"].push_back(ConvConfig(3, 32, 3, 2, "relu"));
    config["input_stem"].push_back({{"name", "ResidualBlock"},
                                    {"conv", conv},
                                    {"shortcut",
                                     {{"name", "IdentityLayer"},
                                      {"in_channels", {32}},
                                      {"out_channels", {32}},
                                      {"use_bn", false},
                                      {"act_func", nullptr},
                                      {"dropout_rate", 0},
                                      {"ops_order", "weight_bn_act"}}}});
    config["input_stem"].push_back(ConvConfig(32, 64, 3, 1, "relu"));
  } else {
    config["input_stem"].push_back(ConvConfig(3, 64, 7, 2, "relu"));
  }
  config["blocks"] = Json::array();
  int in = 64;
  const int widths[] = {256, 512, 1024, 2048};
  const int depths[] = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage) {
    for (int i = 0; i < depths[stage]; ++i) {
      config["blocks"].push_back({{"name", "ResNetBottleneckBlock"},
                                  {"in_channels", in},
                                  {"out_channels", widths[stage]},
                                  {"kernel_size", 3},
                                  {"stride", stage > 0 && i == 0 ? 2 : 1},
                                  {"expand_ratio", 0.25},
                                  {"mid_channels", widths[stage] / 4},
                                  {"act_func", "relu"},
                                  {"groups", 1},
                                  {"downsample_mode", d ? "avgpool_conv" : "conv"}});
      in = widths[stage];
    }
  }
  config["classifier"] = LinearConfig(2048, 1000);
  return config;
}

/// The CIFAR-10 net of proxyless.md §19 with ops drawn from `rng` on the searched edges.
class PyramidTree {
 public:
  explicit PyramidTree(CounterRng& rng) : rng_(rng) {}

  Json Config() {
    Json config = {{"name", "PyramidTreeNet"},
                   {"tree_node_config", Json::object()},
                   {"cell_drop_rate", 0},
                   {"cell_drop_scheme", "linear"},
                   {"blocks", Json::array()}};
    Json stem = Basic("ConvLayer", 3, 16, false, nullptr);
    stem.update({{"kernel_size", 3}, {"stride", 1}});
    config["blocks"].push_back(
        {{"name", "TransitionBlock"}, {"layers", {stem, Basic("IdentityLayer", 16, 16, true, nullptr)}}});
    int in = 16;
    const int first[] = {72, 184, 296};
    for (int stage = 0; stage < 3; ++stage) {
      for (int i = 0; i < 18; ++i) {
        // 72 … 176, 184 … 288, 296 … 400: every width is a multiple of 8, growing by 104/17 per block.
        const int out = first[stage] + (104 * i / 17 + 4) / 8 * 8;
        config["blocks"].push_back(Block(in, out, stage > 0 && i == 0 ? 2 : 1));
        in = out;
      }
    }
    Json pool = Basic("PoolingLayer", in, in, true, "relu");
    pool.update({{"pool_type", "avg"}, {"kernel_size", 8}, {"stride", 8}});
    config["blocks"].push_back({{"name", "TransitionBlock"}, {"layers", {pool}}});
    config["classifier"] = LinearConfig(in, 10);
    return config;
  }

 private:
  static Json Basic(const char* name, int in, int out, bool bn, const char* act) {
    return {{"name", name},
            {"in_channels", in},
            {"out_channels", out},
            {"use_bn", bn},
            {"act_func", act == nullptr ? Json() : Json(act)},
            {"dropout_rate", 0},
            {"ops_order", "bn_act_weight"}};
  }

  Json SearchedEdge(int width) {
    const auto op = rng_.Below(7);
    if (op == 0) return Basic("IdentityLayer", width, width, false, nullptr);
    if (op <= 2) {
      Json pool = Basic("PoolingLayer", width, width, false, nullptr);
      pool.update({{"pool_type", op == 1 ? "avg" : "max"}, {"kernel_size", 3}, {"stride", 1}});
      return pool;
    }
    Json conv = Basic("DepthConvLayer", width, width, true, "relu");
    const int kernels[] = {3, 5, 7, 3};
    conv.update({{"kernel_size", kernels[op - 3]}, {"dilation", op == 6 ? 2 : 1}, {"stride", 1}});
    return conv;
  }

  static Json Node(int in, int out, const char* split, const char* merge, bool bn, Json edges, Json children) {
    return {{"name", "TreeNode"},  {"in_channels", in},         {"out_channels", out},
            {"split_type", split}, {"merge_type", merge},       {"has_branch_bn", bn},
            {"path_drop_rate", 0}, {"edges", std::move(edges)}, {"child_nodes", std::move(children)}};
  }

  Json Leaf(int width) {
    return Node(width, width, "copy", "add", false, {SearchedEdge(width), SearchedEdge(width)}, {nullptr, nullptr});
  }

  Json Half(int width) {
    return Node(width, width, "copy", "add", false, {SearchedEdge(width), SearchedEdge(width)},
                {Leaf(width), Leaf(width)});
  }

  Json Block(int in, int out, int stride) {
    const int width = out / 4;
    Json root = Basic("ConvLayer", width, 2 * width, true, "relu");
    root.update({{"kernel_size", 3}, {"stride", stride}, {"groups", width % 2 == 0 ? 2 : 1}, {"has_shuffle", true}});
    const Json identity = Basic("IdentityLayer", width, width, false, nullptr);
    const Json top = Node(2 * width, width, "split", "add", true, {identity, identity}, {Half(width), Half(width)});
    Json cell = {{"name", "TreeNode"},    {"in_channels", width},  {"out_channels", width},
                 {"split_type", nullptr}, {"merge_type", nullptr}, {"has_branch_bn", false},
                 {"path_drop_rate", 0},   {"edges", {root}},       {"child_nodes", {top}}};
    Json shortcut = Basic("IdentityLayer", in, in, false, nullptr);
    if (stride == 2) {
      shortcut = Basic("PoolingLayer", in, in, false, nullptr);
      shortcut.update({{"pool_type", "avg"}, {"kernel_size", 2}, {"stride", 2}});
    }
    Json in_bottle = Basic("ConvLayer", in, width, true, nullptr);
    in_bottle.update({{"kernel_size", 1}});
    Json out_bottle = Basic("ConvLayer", width, out, true, "relu");
    out_bottle.update({{"kernel_size", 1}});
    return {{"name", "ResidualTreeBlock"}, {"cell_drop_rate", 0},      {"final_bn", true}, {"shortcut", shortcut},
            {"in_bottle", in_bottle},      {"out_bottle", out_bottle}, {"cell", cell}};
  }

  CounterRng& rng_;
};

}  // namespace nas
