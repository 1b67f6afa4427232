// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nas {

enum class Activation { kNone, kRelu, kRelu6, kTanh, kSigmoid, kHSwish, kHSigmoid };

/// `none`, `relu`, `relu6`, `tanh`, `sigmoid`, `h_swish`, `h_sigmoid` (the words of net.config).
std::string_view ToString(Activation activation);
/// Also reads the aliases `null`, `hswish`, `hard_swish`, `hs`. Throws kInput with the legal words.
Activation ParseActivation(std::string_view word);

/// Side, in pixels, and channels of a square feature map; side 1 after global pooling.
struct MapShape {
  int side = 0;
  int channels = 0;
  friend bool operator==(const MapShape&, const MapShape&) = default;
};

/// One layer of a network: the name of its op in the catalogue and the numbers that the op needs. A plain value.
/// Fields that an op does not use keep their defaults. Which fields an op reads stands in its `src/space/ops/<op>.cpp`.
struct Layer {
  std::string name;  ///< prefix in the state dict: "first_conv", "blocks.3", "classifier"; "" = no parameters
  std::string op;    ///< catalogue name: "conv", "mbconv", "zero", "identity", "linear", "global_avg_pool", …
  int in_channels = 0;
  int out_channels = 0;
  int kernel = 1;
  int stride = 1;
  int dilation = 1;
  int groups = 1;        ///< conv; 0 for mbconv = depthwise (its default)
  int mid_channels = 0;  ///< mbconv, bottleneck: hidden width
  double expand_ratio =
      0;  ///< mbconv: as written; exactly 1 = no expansion conv; 0 = none written, mid_channels says it
  Activation act = Activation::kNone;
  bool use_bn = true;    ///< conv, linear
  bool bias = false;     ///< conv, linear
  bool use_se = false;   ///< mbconv: squeeze-and-excitation, hidden width make_divisible(mid / 4, 8)
  bool shuffle = false;  ///< conv: channel shuffle after a grouped conv
  bool skip = false;     ///< identity shortcut around the op: y = op(x) + x; with op "zero": y = x
  double dropout = 0;    ///< conv, linear: rate before the weights
  std::string ops_order = "weight_bn_act";
  std::string pool;   ///< pool: "max" or "avg"; bottleneck: downsample mode ("conv", "avgpool_conv")
  std::string split;  ///< tree_node: how branches get the map, "copy" or "split" (over channels); "" = one branch
  std::string merge;  ///< tree_node: how branches are joined, "add" or "concat"; "" = one branch
  /// Layers inside composite ops; their names are relative to this layer ("edges.0", "cell", "layers.1").
  std::vector<Layer> children;
  friend bool operator==(const Layer&, const Layer&) = default;
};

/// max(divisor, round-half-up(v / divisor)·divisor), one step more when that would lose over 10 % (MobileNetV2 rule).
int MakeDivisible(double value, int divisor = 8);

}  // namespace nas
