// SPDX-License-Identifier: Apache-2.0
// The grammar is that of timm 1.0 (`decode_arch_def`); parameter and MAC counts of the strings written here were
// checked once against the networks that timm builds from them.
#include "nas/space/architecture.h"
#include "test_support.h"

using namespace nas;

namespace {

Architecture Read(const Json& json) { return ArchitectureFromTimm(Document(json)); }

std::string ReadError(const Json& json) {
  return InputError([&] { Read(json); });
}

std::string BlockError(const char* block) {
  return ReadError({{"arch_def", {{"ds_r1_k3_s1_c16"}, {block}}}, {"stem", 32}, {"head", 1280}});
}

Architecture WithoutZero(Architecture net) {
  std::erase_if(net.layers, [](const Layer& layer) { return layer.op == "zero"; });
  int block = 0;
  for (Layer& layer : net.layers) {
    if (layer.name.starts_with("blocks.")) layer.name = "blocks." + std::to_string(block++);
  }
  net.space = net.code = "";
  return net;
}

}  // namespace

TEST_CASE("block strings of a network of the default space") {
  const SearchSpace space = ShippedSpace("proxyless-mobile");
  const Json json = ToTimm(space.Build(space.Decode("260020000000000000005")));
  CHECK(json["stem"] == 32);
  CHECK(json["head"] == 1280);
  CHECK(json["act"] == "relu6");
  CHECK(json["bn_eps"] == 1e-3);
  CHECK(json["resolution"] == 224);
  const Json& stacks = json["arch_def"];
  REQUIRE(stacks.size() == 7);
  CHECK(stacks[0] == Json::array({"ds_r1_k3_s1_e1_c16"}));
  CHECK(stacks[1] == Json({"ir_r1_k5_s2_e3_c24", "ir_r2_k3_s1_e3_c24"}));  // the Zero block is gone
  CHECK(stacks[2] == Json({"ir_r1_k5_s2_e3_c40", "ir_r3_k3_s1_e3_c40"}));
  CHECK(stacks[6] == Json::array({"ir_r1_k7_s1_e6_c320"}));
}

TEST_CASE("networks of the spaces come back from block strings without their Zero blocks") {
  for (const char* name : {"proxyless-mobile", "cifar-mbconv", "tiny"}) {
    for (const double width : {0.35, 1.0, 1.4}) {
      const SearchSpace space = ShippedSpace(name, {.width_mult = width, .classes = 7});
      CounterRng rng(/*seed=*/3);
      for (int n = 0; n < 40; ++n) {
        const Architecture net = space.Build(space.Sample(rng));
        const Json written = ToTimm(net);
        const Architecture again = Read(written);
        CHECK(again == WithoutZero(net));
        CHECK(CountParams(again) == CountParams(net));
        CHECK(CountMacs(again) == CountMacs(net));
        CHECK(ToTimm(again) == written);
      }
    }
  }
}

TEST_CASE("macro-cifar is expressible unless a strided identity is used") {
  const SearchSpace space = ShippedSpace("macro-cifar");
  const Architecture net = space.Build(space.Decode("10102201"));
  CHECK(Read(ToTimm(net)) == WithoutZero(net));
  const std::string message = InputError([&] { ToTimm(space.Build(space.Decode("10002201"))); });
  CHECK(Contains(message, "\"blocks.2\" (conv1x1 s2) is not expressible"));
}

TEST_CASE("tokens: activation, squeeze, group size, skips, repeats, any order") {
  const Json json = {{"arch_def",
                      {{"ds_k3_s1_r1_c16_noskip"},
                       {"ir_r3_k5_s2_e3.5_c40_se0.25_nre"},
                       {"ir_c40_r1_nhs_k3_s1_e6_gs8", "cn_r2_k1_s1_c40_skip", "cn_r1_k3_s1_c64_nr6"}}},
                     {"stem", 16},
                     {"head", 640},
                     {"act", "hard_swish"},
                     {"bn_eps", 1e-5},
                     {"resolution", 96},
                     {"classes", 11}};
  const Architecture net = Read(json);
  REQUIRE(net.layers.size() == 1 + 8 + 3);
  CHECK(net.layers[1].expand_ratio == 1);
  CHECK_FALSE(net.layers[1].skip);
  CHECK(net.layers[1].act == Activation::kHSwish);
  CHECK(net.layers[2].stride == 2);
  CHECK(net.layers[2].use_se);
  CHECK(net.layers[2].mid_channels == 56);
  CHECK(net.layers[2].act == Activation::kRelu);
  CHECK(net.layers[3].stride == 1);
  CHECK(net.layers[3].skip);
  CHECK(net.layers[3].mid_channels == 144);  // 140 rounded to 8
  CHECK(net.layers[5].groups == 30);
  CHECK(net.layers[6].op == "conv");
  CHECK(net.layers[6].skip);
  CHECK(net.layers[8].act == Activation::kRelu6);
  CHECK(net.classes() == 11);
  CHECK(net.resolution == 96);
  CHECK(Read(ToTimm(net)) == net);
}

TEST_CASE("what timm would build otherwise is not written") {
  Architecture net = ShippedSpace("tiny").Build(Choice(5, 0));
  net.layers[2].mid_channels = 20;
  CHECK(Contains(InputError([&] { ToTimm(net); }), "timm makes the hidden width 24 of ratio 3, not 20"));
  net = ShippedSpace("tiny").Build(Choice(5, 0));
  net.layers[2].act = Activation::kTanh;
  CHECK(Contains(InputError([&] { ToTimm(net); }), "activation tanh has no token"));
  net = ShippedSpace("tiny").Build(Choice(5, 0));
  net.layers[0].groups = 1;
  net.layers[0].bias = true;
  CHECK(Contains(InputError([&] { ToTimm(net); }), "not expressible"));
}

TEST_CASE("faults of block strings are named with place, token and legal ones") {
  CHECK(BlockError("ir_r1_k3_s1_e3_c24").empty());
  CHECK(Contains(BlockError("ir_r1_k3_s1_e3_c24_x7"), "token \"x7\" is not known; known: r, k, s, e, c"));
  CHECK(Contains(BlockError("ir_r1_k3_s1_e3_c24_x7"), "/arch_def/1/0"));
  CHECK(Contains(BlockError("er_r1_k3_s1_e3_c24"), "known: ir, ds, cn"));
  CHECK(Contains(BlockError("ir_r1_s1_e3_c24"), "\"k\" is missing"));
  CHECK(Contains(BlockError("ir_r1_k4_s1_e3_c24"), "kernel 4 is even"));
  CHECK(Contains(BlockError("ir_r1_k3_s3_e3_c24"), "\"s\" is 3"));
  CHECK(Contains(BlockError("ir_r1_k3_s1_e3_c24_se0.5"), "squeeze ratio 0.5"));
  CHECK(Contains(BlockError("ir_r1_k3_s1_e3_c24_c24"), "stands twice"));
  CHECK(Contains(BlockError("ir_r1_k3_s1_e1_c24"), "write ds"));
  CHECK(Contains(BlockError("ir_r1_k3_s1_e3_c99999999999"), "\"c\" is"));
  CHECK(Contains(BlockError("ir_r1_k3_s1_e3_c2e"), "no number"));
  CHECK(Contains(BlockError("ir_r999999_k3_s1_e3_c24"), "\"r\" is"));
  CHECK(Contains(BlockError(""), "block type"));
  CHECK(Contains(ReadError({{"arch_def", {{"ds_r1_k3_s1_c16"}}}, {"stem", 16}, {"head", 8}, {"act", "gelu"}}),
                 "hard_swish"));
  CHECK(Contains(ReadError({{"arch_def", {{1}}}, {"stem", 16}, {"head", 8}}), "block string"));
  CHECK(Contains(ReadError({{"arch_def", "ir"}, {"stem", 16}, {"head", 8}}), "list of lists"));
  CHECK(Contains(ReadError({{"arch_def", {{"ds_r1_k3_s1_c16"}}}, {"stem", 16}, {"head", 8}, {"hed", 8}}), "hed"));
}
