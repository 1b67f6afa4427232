// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include "nas/core/error.h"
#include "nas/space/op_catalogue.h"
#include "nn/builtin_ops.h"
#include "nn/nn_support.h"
#include "nn/tensor_list.h"
#include "nn/weight_init.h"

namespace nas::test {

namespace {

Layer MakeLayer(const std::string& op, int in, int out) {
  Layer layer;
  layer.name = "blocks.0";
  layer.op = op;
  layer.in_channels = in;
  layer.out_channels = out;
  return layer;
}

Layer Child(Layer layer, const std::string& name) {
  layer.name = name;
  return layer;
}

/// Layers that between them use every field of every op.
std::vector<Layer> ManyLayers() {
  std::vector<Layer> layers;
  for (const char* order :
       {"weight_bn_act", "bn_act_weight", "act_weight_bn", "weight_act_bn", "bn_weight_act", "act_bn_weight"}) {
    Layer conv = MakeLayer("conv", 8, 16);
    conv.kernel = 3;
    conv.groups = 2;
    conv.stride = 2;
    conv.act = Activation::kRelu6;
    conv.ops_order = order;
    layers.push_back(conv);
    conv.shuffle = true;
    conv.bias = true;
    conv.dilation = 2;
    layers.push_back(conv);
    Layer identity = MakeLayer("identity", 8, 8);
    identity.act = Activation::kRelu;
    identity.ops_order = order;
    layers.push_back(identity);
    Layer pool = MakeLayer("pool", 8, 8);
    pool.kernel = 3;
    pool.pool = "avg";
    pool.act = Activation::kTanh;
    pool.ops_order = order;
    layers.push_back(pool);
  }
  for (const Activation act : {Activation::kNone, Activation::kRelu, Activation::kRelu6, Activation::kTanh,
                               Activation::kSigmoid, Activation::kHSwish, Activation::kHSigmoid}) {
    Layer mbconv = MakeLayer("mbconv", 8, 8);
    mbconv.kernel = 5;
    mbconv.mid_channels = 24;
    mbconv.expand_ratio = 3;
    mbconv.groups = 0;
    mbconv.act = act;
    mbconv.skip = true;
    layers.push_back(mbconv);
    mbconv.use_se = true;
    mbconv.stride = 2;
    mbconv.skip = false;
    mbconv.out_channels = 12;
    layers.push_back(mbconv);
    mbconv.expand_ratio = 1;
    mbconv.mid_channels = 8;
    layers.push_back(mbconv);
    mbconv.expand_ratio = 3;
    mbconv.mid_channels = 24;
    mbconv.groups = 3;
    layers.push_back(mbconv);
  }
  Layer zero = MakeLayer("zero", 8, 8);
  zero.skip = true;
  layers.push_back(zero);
  Layer plain = MakeLayer("identity", 8, 8);
  plain.use_bn = false;
  layers.push_back(plain);
  Layer se_conv = MakeLayer("conv", 8, 8);
  se_conv.use_se = true;
  se_conv.skip = true;
  se_conv.act = Activation::kHSwish;
  layers.push_back(se_conv);
  Layer linear = MakeLayer("linear", 8 * 9 * 9, 5);
  linear.bias = true;
  linear.act = Activation::kRelu;
  layers.push_back(linear);
  linear.use_bn = false;
  layers.push_back(linear);
  layers.push_back(MakeLayer("global_avg_pool", 8, 8));
  Layer max_pool = MakeLayer("max_pool", 8, 8);
  max_pool.kernel = 3;
  max_pool.stride = 2;
  layers.push_back(max_pool);
  Layer pool = MakeLayer("pool", 8, 8);
  pool.kernel = 2;
  pool.stride = 2;
  pool.pool = "max";
  layers.push_back(pool);
  Layer separable = MakeLayer("depth_conv", 8, 12);
  separable.kernel = 3;
  separable.dilation = 2;
  separable.groups = 2;
  separable.shuffle = true;
  layers.push_back(separable);
  separable.shuffle = false;
  layers.push_back(separable);
  for (const char* mode : {"conv", "avgpool_conv"}) {
    Layer bottleneck = MakeLayer("bottleneck", 8, 16);
    bottleneck.kernel = 3;
    bottleneck.stride = 2;
    bottleneck.mid_channels = 4;
    bottleneck.act = Activation::kRelu;
    bottleneck.pool = mode;
    layers.push_back(bottleneck);
    bottleneck.out_channels = 8;
    bottleneck.stride = 1;
    layers.push_back(bottleneck);
  }
  Layer transition = MakeLayer("transition", 8, 16);
  transition.children = {Child(layers[0], "layers.0"), Child(MakeLayer("identity", 16, 16), "layers.1")};
  layers.push_back(transition);

  Layer leaf = MakeLayer("conv", 4, 4);
  leaf.kernel = 3;
  leaf.ops_order = "bn_act_weight";
  leaf.act = Activation::kRelu;
  Layer none = MakeLayer("identity", 4, 4);
  none.use_bn = false;
  Layer node = MakeLayer("tree_node", 8, 4);
  node.split = "split";
  node.merge = "add";
  node.use_bn = true;
  node.children = {Child(leaf, "edges.0"), Child(none, "child_nodes.0"), Child(none, "edges.1"),
                   Child(leaf, "child_nodes.1")};
  layers.push_back(node);
  Layer concat = node;
  concat.merge = "concat";
  concat.out_channels = 8;
  layers.push_back(concat);
  Layer residual = MakeLayer("residual_tree", 8, 16);
  Layer out_bottle = MakeLayer("conv", 4, 16);
  Layer in_bottle = MakeLayer("identity", 8, 8);
  Layer shortcut = MakeLayer("identity", 8, 8);
  shortcut.use_bn = false;
  residual.children = {Child(shortcut, "shortcut"), Child(in_bottle, "in_bottle"), Child(node, "cell"),
                       Child(out_bottle, "out_bottle")};
  layers.push_back(residual);
  return layers;
}

void Start(detail::OpModule& module, at::ScalarType dtype) {
  const std::vector<detail::NamedTensor> tensors = detail::CollectTensors(module, "x");
  detail::InitializeTensors(tensors, 7);
  detail::ConvertTensors(tensors, dtype);
  detail::RequireGradients(tensors);
  Disturb(detail::ToPairs(tensors, /*trained_only=*/false));
  const at::NoGradGuard no_grad;
  for (const detail::NamedTensor& named : tensors) {
    // Wide enough that ReLU6 and its kin saturate on both sides.
    if (named.role == detail::TensorRole::kScale) named.tensor.mul_(5);
  }
}

}  // namespace

TEST_CASE("the list of op modules is the catalogue", "[nn]") {
  std::vector<std::string> catalogue;
  for (const Op* op : BuiltinOps()) catalogue.emplace_back(op->name());
  std::vector<std::string> modules;
  for (const detail::BuiltinOpModule& module : detail::BuiltinOpModules()) modules.emplace_back(module.op);
  REQUIRE(modules == catalogue);
  REQUIRE_THROWS_AS(detail::MakeOpModule(MakeLayer("mbconf", 8, 8), {}), Error);
}

TEST_CASE("op modules agree with the catalogue in shape and parameters", "[nn]") {
  constexpr int kSide = 9;
  const at::Tensor x = at::randn({3, 8, kSide, kSide}).contiguous(at::MemoryFormat::ChannelsLast);
  for (const Layer& layer : ManyLayers()) {
    INFO(layer.op << " " << layer.ops_order << " " << ToString(layer.act));
    const Op& op = FindOp(layer.op);
    op.Check(layer, {kSide, 8});
    const auto module = detail::MakeOpModule(layer, {});
    Start(*module, at::kFloat);
    std::int64_t params = 0;
    for (const auto& [name, tensor] : detail::ToPairs(detail::CollectTensors(*module, ""), true))
      params += tensor.numel();
    CHECK(params == op.Params(layer));
    const at::Tensor y = module->Forward(x, BnMode::kTrain);
    const MapShape out = op.OutputShape(layer, {kSide, 8});
    CHECK(y.size(0) == 3);
    CHECK(y.size(1) == out.channels);
    if (y.dim() == 4) {
      CHECK(y.size(2) == out.side);
      CHECK(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

TEST_CASE("op modules differentiate as their functions do", "[nn]") {
  constexpr int kSide = 9;
  at::Tensor x = at::rand({2, 8, kSide, kSide}, at::kDouble).sub(0.5).mul(6).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor kept = x.clone();
  for (const Layer& layer : ManyLayers()) {
    INFO(layer.op << " " << layer.ops_order << " " << ToString(layer.act) << " out " << layer.out_channels);
    const auto module = detail::MakeOpModule(layer, {});
    Start(*module, at::kDouble);
    const auto run = [&](const at::Tensor& input) {
      return layer.skip ? module->ForwardWithShortcut(input, BnMode::kProbe) : module->Forward(input, BnMode::kProbe);
    };
    const at::Tensor leaf = x.detach().requires_grad_(true);
    const at::Tensor y = run(leaf);
    const at::Tensor weights = at::linspace(-1, 1, y.numel(), at::kDouble).view_as(y).sin();
    (y * weights).sum().backward();
    CHECK(at::equal(x, kept));
    // One direction over all inputs; kinks are hit with probability near 0, and a smooth mean over pieces near them.
    const at::NoGradGuard no_grad;
    const at::Tensor direction = at::linspace(0, 31, x.numel(), at::kDouble).view_as(x).cos();
    constexpr double kStep = 1e-6;
    const double up = (run(x + kStep * direction) * weights).sum().item<double>();
    const double down = (run(x - kStep * direction) * weights).sum().item<double>();
    const double numeric = (up - down) / (2 * kStep);
    const double analytic = (leaf.grad() * direction).sum().item<double>();
    CHECK(analytic == Approx(numeric).epsilon(1e-5).margin(1e-6));
    // The same value without a graph, where activations run in place.
    CHECK(at::allclose(run(x), y.detach(), 1e-12, 1e-12));
  }
}

TEST_CASE("a BN behind a conv folds into it", "[nn]") {
  const at::Tensor x = at::randn({2, 8, 9, 9}, at::kDouble).contiguous(at::MemoryFormat::ChannelsLast);
  for (const Layer& layer : ManyLayers()) {
    INFO(layer.op << " " << layer.ops_order << " " << ToString(layer.act));
    const auto module = detail::MakeOpModule(layer, {});
    Start(*module, at::kDouble);
    const at::Tensor before = module->Forward(x, BnMode::kEval).detach();
    const std::size_t tensors = detail::CollectTensors(*module, "").size();
    module->FoldBatchNorm();
    CHECK(at::allclose(module->Forward(x, BnMode::kEval), before, 1e-9, 1e-9));
    if (layer.op == "mbconv") CHECK(detail::CollectTensors(*module, "").size() < tensors);
  }
}

TEST_CASE("channel shuffle interleaves groups", "[nn]") {
  Layer layer = MakeLayer("conv", 6, 6);
  layer.groups = 2;
  layer.shuffle = true;
  layer.use_bn = false;
  const auto module = detail::MakeOpModule(layer, {});
  const std::vector<detail::NamedTensor> tensors = detail::CollectTensors(*module, "");
  const at::NoGradGuard no_grad;
  tensors[0].tensor.copy_(at::eye(3).repeat({2, 1}).view({6, 3, 1, 1}));
  const at::Tensor x = at::arange(6, at::kFloat).view({1, 6, 1, 1});
  const at::Tensor y = module->Forward(x, BnMode::kEval).flatten();
  CHECK(at::equal(y, at::tensor({0, 3, 1, 4, 2, 5}, at::kFloat)));
}

}  // namespace nas::test
