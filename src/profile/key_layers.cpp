// SPDX-License-Identifier: Apache-2.0
#include "key_layers.h"

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

Activation ToActivation(BlockAct act) {
  switch (act) {
    case BlockAct::kNone:
      return Activation::kNone;
    case BlockAct::kRelu:
      return Activation::kRelu;
    case BlockAct::kRelu6:
      return Activation::kRelu6;
    case BlockAct::kHSwish:
      return Activation::kHSwish;
  }
  ThrowInternal("an activation that no key has");
}

Layer Plain(const BlockKey& key, const std::string& op, const std::string& name) {
  Layer layer;
  layer.op = op;
  layer.name = name;
  layer.in_channels = key.cin;
  layer.out_channels = key.cout;
  return layer;
}

Layer Conv(const BlockKey& key, int kernel, int stride, Activation act, bool bn, const std::string& name) {
  Layer layer = Plain(key, "conv", name);
  layer.kernel = kernel;
  layer.stride = stride;
  layer.act = act;
  layer.use_bn = bn;
  return layer;
}

Layer Mbconv(const BlockKey& key, const std::string& name) {
  Layer layer = Plain(key, "mbconv", name);
  layer.kernel = key.k;
  layer.stride = key.s;
  layer.groups = 0;
  layer.mid_channels = key.mid;
  layer.expand_ratio = HasExpand(key) ? static_cast<double>(key.mid) / key.cin : 1;
  layer.act = ToActivation(key.act);
  layer.use_se = key.se;
  layer.skip = key.skip;
  return layer;
}

Layer Pooling(const BlockKey& key, const std::string& name) {
  Layer layer = Plain(key, "global_avg_pool", name);
  layer.out_channels = key.cin;
  return layer;
}

Layer Classifier(const BlockKey& key, const std::string& name) {
  Layer layer = Plain(key, "linear", name);
  layer.use_bn = false;
  layer.bias = true;
  return layer;
}

}  // namespace

std::vector<Layer> LayersOfKey(const BlockKey& key, const std::string& name) {
  switch (key.op) {
    case BlockOp::kMbconv:
      return {Mbconv(key, name)};
    case BlockOp::kConv:
      return {Conv(key, 3, key.h == key.hout ? 1 : 2, Activation::kRelu6, /*bn=*/true, name)};
    case BlockOp::kConv1:
      return {Conv(key, 1, 1, Activation::kRelu6, /*bn=*/true, name)};
    case BlockOp::kConv2:
      return {Conv(key, 1, 1, Activation::kHSwish, /*bn=*/false, name)};
    case BlockOp::kConv1x1:
      return {Conv(key, 1, key.s, Activation::kNone, /*bn=*/true, name)};
    case BlockOp::kAvgPool:
      return {Pooling(key, name)};
    case BlockOp::kLogits:
      if (key.h == 1) return {Classifier(key, name)};
      return {Pooling(key, name + ".pool"), Classifier(key, name)};
  }
  ThrowInternal(StrCat("no layers for ", ToString(key)));
}

}  // namespace nas::detail
