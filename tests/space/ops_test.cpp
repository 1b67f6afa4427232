// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "nas/space/op_catalogue.h"
#include "test_support.h"

using namespace nas;

namespace {

Layer Conv(int in, int out, int kernel, int stride) {
  Layer layer;
  layer.name = "blocks.0";
  layer.op = "conv";
  layer.in_channels = in;
  layer.out_channels = out;
  layer.kernel = kernel;
  layer.stride = stride;
  return layer;
}

Layer Mbconv(int in, int out, int kernel, int stride, double expand) {
  Layer layer = Conv(in, out, kernel, stride);
  layer.op = "mbconv";
  layer.groups = 0;
  layer.expand_ratio = expand;
  layer.mid_channels = static_cast<int>(in * expand);
  layer.act = Activation::kRelu6;
  layer.skip = stride == 1 && in == out;
  return layer;
}

std::int64_t Macs1(const Layer& layer, MapShape in) { return FindOp(layer.op).CountMacs(layer, in).value; }
std::int64_t Params(const Layer& layer) { return FindOp(layer.op).Params(layer); }

std::string CheckError(const Layer& layer, MapShape in) {
  return InputError([&] { FindOp(layer.op).Check(layer, in); });
}

}  // namespace

TEST_CASE("the catalogue finds every op by its name, and names the nearest one") {
  std::set<std::string_view> names;
  for (const Op* op : BuiltinOps()) {
    CHECK(&FindOp(op->name()) == op);
    names.insert(op->name());
  }
  CHECK(names.size() == BuiltinOps().size());
  CHECK(Contains(InputError([] { FindOp("mbcon"); }), "did you mean \"mbconv\"?"));
}

TEST_CASE("conv counts") {
  Layer layer = Conv(16, 32, 3, 2);
  CHECK(FindOp("conv").OutputShape(layer, {15, 16}) == MapShape{8, 32});
  CHECK(Params(layer) == 16 * 32 * 9 + 2 * 32);
  CHECK(Macs1(layer, {15, 16}) == 16 * 32 * 9 * 8 * 8);
  layer.groups = 4;
  layer.bias = true;
  CHECK(Params(layer) == 16 * 32 * 9 / 4 + 32 + 2 * 32);
  CHECK(Macs1(layer, {15, 16}) == 16 * 32 * 9 / 4 * 8 * 8);
  layer.ops_order = "bn_act_weight";
  CHECK(Params(layer) == 16 * 32 * 9 / 4 + 32 + 2 * 16);
  layer.use_bn = false;
  CHECK(Params(layer) == 16 * 32 * 9 / 4 + 32);
}

TEST_CASE("mbconv counts as the sum of its convs") {
  for (const int stride : {1, 2}) {
    for (const double expand : {1.0, 3.0, 6.0}) {
      for (const bool se : {false, true}) {
        Layer layer = Mbconv(24, 40, 5, stride, expand);
        layer.use_se = se;
        const int mid = layer.mid_channels;
        Layer expand_conv = Conv(24, mid, 1, 1);
        Layer depth = Conv(mid, mid, 5, stride);
        depth.groups = mid;
        const Layer project = Conv(mid, 40, 1, 1);
        const MapShape in{28, 24};
        const MapShape out{stride == 1 ? 28 : 14, 40};
        const std::int64_t width = MakeDivisible(mid / 4);
        std::int64_t params = Params(depth) + Params(project);
        std::int64_t macs = Macs1(depth, {28, mid}) + Macs1(project, {out.side, mid});
        if (expand != 1) {
          params += Params(expand_conv);
          macs += Macs1(expand_conv, in);
        }
        if (se) {
          params += 2 * width * mid + width + mid;
          macs += 2 * width * mid;
        }
        CHECK(FindOp("mbconv").OutputShape(layer, in) == out);
        CHECK(Params(layer) == params);
        CHECK(Macs1(layer, in) == macs);
        CHECK(FindOp("mbconv").Launches(layer) == (expand == 1 ? 2 : 3) + (se ? 4 : 0));
      }
    }
  }
}

TEST_CASE("bottleneck counts: the first block of ResNet-50") {
  Layer layer = Conv(64, 256, 3, 1);
  layer.op = "bottleneck";
  layer.mid_channels = 64;
  layer.pool = "conv";
  // 1x1 64→64, 3x3 64→64, 1x1 64→256 and the 1x1 64→256 of the shortcut, each with BN (torchvision's numbers).
  CHECK(Params(layer) == 4096 + 128 + 36864 + 128 + 16384 + 512 + 16384 + 512);
  CHECK(Macs1(layer, {56, 64}) == (4096 + 36864 + 16384 + 16384) * 3136);
  CHECK(FindOp("bottleneck").Launches(layer) == 4);
}

TEST_CASE("shapes at odd sides") {
  for (int side = 1; side <= 20; ++side) {
    for (int stride = 1; stride <= 3; ++stride) {
      const int expected = (side - 1) / stride + 1;
      CHECK(FindOp("conv").OutputShape(Conv(8, 8, 7, stride), {side, 8}).side == expected);
      CHECK(FindOp("mbconv").OutputShape(Mbconv(8, 8, 7, stride, 3), {side, 8}).side == expected);
    }
  }
}

TEST_CASE("labels") {
  CHECK(FindOp("mbconv").Label(Mbconv(8, 8, 5, 1, 6)) == "k5e6");
  CHECK(FindOp("mbconv").Label(Mbconv(8, 8, 3, 1, 2.5)) == "k3e2.5");
  CHECK(FindOp("conv").Label(Conv(3, 8, 3, 2)) == "conv3x3 s2");
  Layer zero;
  zero.op = "zero";
  CHECK(FindOp("zero").Label(zero) == "Zero");
}

TEST_CASE("illegal layers are refused with layer, field and value") {
  const MapShape in{28, 24};
  CHECK(CheckError(Mbconv(24, 40, 5, 1, 3), in).empty());
  CHECK(Contains(CheckError(Mbconv(32, 40, 5, 1, 3), in), "layer \"blocks.0\" (mbconv): takes 32 channels"));
  CHECK(Contains(CheckError(Mbconv(24, 40, 4, 1, 3), in), "kernel 4"));
  CHECK(Contains(CheckError(Mbconv(24, 40, 5, 0, 3), in), "stride 0"));
  CHECK(Contains(CheckError(Mbconv(24, -8, 5, 1, 3), in), "-8 channels"));
  CHECK(Contains(CheckError(Mbconv(24, 40, 5, 1, -1), in), "expand ratio -1"));
  CHECK(Contains(CheckError(Mbconv(24, 40, 5, 1, 16384), in), "hidden channels"));
  Layer layer = Mbconv(24, 40, 5, 1, 3);
  layer.skip = true;
  CHECK(Contains(CheckError(layer, in), "shortcut needs stride 1 and equal channels"));
  layer = Mbconv(24, 24, 5, 1, 1);
  layer.mid_channels = 48;
  CHECK(Contains(CheckError(layer, in), "expand ratio 1 means no expansion"));
  layer = Conv(24, 40, 3, 1);
  layer.groups = 7;
  CHECK(Contains(CheckError(layer, in), "7 groups do not divide 24"));
  layer.groups = 1;
  layer.ops_order = "weight_bn";
  CHECK(Contains(CheckError(layer, in), "ops_order \"weight_bn\""));
  layer = {};
  layer.op = "zero";
  layer.in_channels = layer.out_channels = 24;
  CHECK(Contains(CheckError(layer, in), "identity shortcut"));
}
