// SPDX-License-Identifier: Apache-2.0
#include "family_nets.h"
#include "nas/space/op_catalogue.h"

using namespace nas;

namespace {

Architecture Read(const Json& json) { return ArchitectureFromNetConfig(Document(json), 0); }

std::string ReadError(const Json& json) {
  return InputError([&] { Read(json); });
}

Json MobileConfig() { return ToNetConfig(ShippedSpace("tiny").Build(Choice{0, 1, 6, 3, 0})); }

/// Writing and reading again gives the same network, and writing is stable.
void CheckRoundTrip(const Architecture& net) {
  const Json written = ToNetConfig(net);
  const Architecture again = Read(written);
  CHECK(again == net);
  CHECK(ToNetConfig(again) == written);
  CHECK(ArchitectureFromJson(Document(ToJson(net))) == net);
}

}  // namespace

TEST_CASE("what is written for the original classes stays readable for them") {
  const Json config = MobileConfig();
  CHECK(config["name"] == "ProxylessNASNets");
  CHECK(config["resolution"] == 32);
  const Json& block = config["blocks"][0];
  CHECK(block["name"] == "MobileInvertedResidualBlock");
  CHECK(block["mobile_inverted_conv"]["name"] == "MBInvertedConvLayer");
  CHECK(block["mobile_inverted_conv"]["mid_channels"].is_null());
  CHECK_FALSE(block["mobile_inverted_conv"].contains("act_func"));
  CHECK(block["shortcut"]["name"] == "IdentityLayer");
  CHECK(config["blocks"][1]["shortcut"].is_null());
  const Json& zero = config["blocks"][2];
  CHECK(zero["mobile_inverted_conv"] == Json{{"name", "ZeroLayer"}, {"stride", 1}});
  CHECK(zero["shortcut"]["name"] == "IdentityLayer");
  CheckRoundTrip(Read(config));
}

TEST_CASE("macro-cifar is written with MBConvLayer of activation relu and a bare ConvLayer") {
  const Architecture net = ShippedSpace("macro-cifar").Build(Choice{0, 0, 1, 2, 0, 0, 1, 2});
  const Json config = ToNetConfig(net);
  const Json& identity = config["blocks"][0]["mobile_inverted_conv"];
  CHECK(identity["name"] == "ConvLayer");
  CHECK(identity["kernel_size"] == 1);
  CHECK(identity["stride"] == 2);
  CHECK(identity["act_func"].is_null());
  CHECK(config["blocks"][0]["shortcut"].is_null());
  const Json& block = config["blocks"][2]["mobile_inverted_conv"];
  CHECK(block["name"] == "MBConvLayer");
  CHECK(block["act_func"] == "relu");
  CHECK(block["mid_channels"].is_null());
  CHECK(config["bn"]["eps"] == 1e-5);
  CheckRoundTrip(Read(config));
}

TEST_CASE("both spellings of a block, absent and null fields, lists of one") {
  const Architecture net = Read(MobileConfig());
  Json config = MobileConfig();
  for (Json& block : config["blocks"]) {
    Json conv = block["mobile_inverted_conv"];
    if (conv["name"] == "MBInvertedConvLayer") {
      conv["name"] = "MBConvLayer";
      conv.erase("mid_channels");
      conv["use_se"] = false;
      conv["groups"] = nullptr;
      conv["in_channels"] = {conv["in_channels"]};
    } else {
      conv = nullptr;
    }
    Json shortcut = block["shortcut"];
    if (!shortcut.is_null()) {
      shortcut["in_channels"] = {shortcut["in_channels"]};
      shortcut["out_channels"] = {shortcut["out_channels"]};
    }
    block = {{"name", "ResidualBlock"}, {"conv", conv}, {"shortcut", shortcut}};
  }
  CHECK(Read(config) == net);
  config = MobileConfig();
  config.erase("bn");
  CHECK(Read(config) == net);  // its defaults are the class's
  config.erase("resolution");
  CHECK(Read(config).resolution == 224);
  config["first_conv"]["stride"] = 1;
  CHECK(Read(config).resolution == 32);
  config["feature_mix_layer"] = nullptr;
  config["classifier"]["in_features"] = 24;
  CHECK(Read(config).layers.size() == net.layers.size() - 1);
  CheckRoundTrip(Read(config));
}

TEST_CASE("given hidden widths win over the ratio; a null ratio leaves them to say it") {
  Json config = MobileConfig();
  config["blocks"][0]["mobile_inverted_conv"]["mid_channels"] = 40;
  Architecture net = Read(config);
  CHECK(net.layers[1].mid_channels == 40);
  CheckRoundTrip(net);
  config["blocks"][0]["mobile_inverted_conv"]["expand_ratio"] = nullptr;
  net = Read(config);
  CHECK(net.layers[1].mid_channels == 40);
  CHECK(FindOp("mbconv").Label(net.layers[1]) == "k3e5");
  CheckRoundTrip(net);
  config["blocks"][0]["mobile_inverted_conv"]["mid_channels"] = nullptr;
  CHECK(Contains(ReadError(config), "one of them is needed"));
  // Python's round: halves go to the even neighbour.
  config["blocks"][0]["mobile_inverted_conv"]["expand_ratio"] = 0.5625;  // 8·0.5625 = 4.5
  CHECK(Read(config).layers[1].mid_channels == 4);
}

TEST_CASE("ResNet-50 has the known counts and survives") {
  const Architecture net = Read(ResNet50Config(false));
  CHECK(net.family == Family::kResNet);
  CHECK(net.resolution == 224);
  CHECK(CountParams(net) == 25557032);
  CHECK(CountMacs(net).value == 4089184256);
  CHECK(Depth(net) == 16);
  CheckRoundTrip(net);
  CHECK(Contains(InputError([&] { LatencyKeys(net); }), "no latency model for"));
  CHECK(Contains(InputError([&] { ToTimm(net); }), "not expressible"));
  const Architecture d = Read(ResNet50Config(true));
  CHECK(d.layers[1].skip);
  CHECK(InferShapes(d)[3].side == 112);
  CHECK(InferShapes(d)[4].side == 56);
  CHECK(CountParams(d) == 25557032 - 64 * 3 * 49 - 128 + (3 * 32 + 32 * 32 + 32 * 64) * 9 + 2 * (32 + 32 + 64));
  CheckRoundTrip(d);
}

TEST_CASE("a tree network of the published CIFAR-10 layout survives") {
  CounterRng rng(/*seed=*/11);
  const Json config = PyramidTree(rng).Config();
  const Architecture net = Read(config);
  CHECK(net.family == Family::kPyramidTree);
  CHECK(net.resolution == 32);
  CHECK(net.layers.size() == 57);
  CHECK(net.bn.eps == 1e-5);
  CHECK(InferShapes(net)[56] == MapShape{1, 400});
  CHECK(net.classes() == 10);
  // 5.7 M were published; the ops are drawn here, so only the size of the whole is compared.
  CHECK(CountParams(net) > 5'000'000);
  CHECK(CountParams(net) < 6'500'000);
  CheckRoundTrip(net);
  CHECK(Contains(InputError([&] { LatencyKeys(net); }), "no latency model for"));
  CHECK(Contains(InputError([&] { ToTimm(net); }), "not expressible"));
}

TEST_CASE("settings of a tree network replace those of its nodes and blocks") {
  CounterRng rng(/*seed=*/12);
  Json config = PyramidTree(rng).Config();
  config["tree_node_config"] = {{"path_drop_rate", 0.25}, {"has_branch_bn", false}};
  config["cell_drop_rate"] = 0.1;
  const Architecture net = Read(config);
  const Layer& cell = net.layers[1].children[2];
  CHECK(cell.dropout == 0);
  CHECK(cell.children[1].dropout == 0.25);
  CHECK_FALSE(cell.children[1].use_bn);
  CHECK(cell.children[1].children[1].dropout == 0.25);
  CHECK(net.layers[1].dropout == Approx(2 * 1 * 0.1 / 55));
  CHECK(net.layers[54].dropout == Approx(2 * 54 * 0.1 / 55));
  config["cell_drop_scheme"] = "constant";
  CHECK(Read(config).layers[7].dropout == 0.1);
}

TEST_CASE("faults of a net.config are named with file, line, path, value and legal ones") {
  Json json = MobileConfig();
  json["name"] = "ProxylessNasNets";
  CHECK(Contains(ReadError(json), "ProxylessNASNets"));
  json = MobileConfig();
  json["blocks"][1]["mobile_inverted_conv"]["in_channels"] = 16;
  CHECK(Contains(ReadError(json), "test.json:"));
  CHECK(Contains(ReadError(json), "/blocks/1"));
  CHECK(Contains(ReadError(json), "takes 16 channels, but the map that enters has 8"));
  json = MobileConfig();
  json["blocks"][1]["mobile_inverted_conv"]["expand_rate"] = 3;
  CHECK(Contains(ReadError(json), "expand_rate"));
  CHECK(Contains(ReadError(json), "expand_ratio"));
  json = MobileConfig();
  json["blocks"][1]["mobile_inverted_conv"]["name"] = "MBConv";
  CHECK(Contains(ReadError(json), "MBInvertedConvLayer"));
  json = MobileConfig();
  json["first_conv"]["act_func"] = "gelu";
  CHECK(Contains(ReadError(json), "/first_conv/act_func"));
  CHECK(Contains(ReadError(json), "h_swish"));
  json = MobileConfig();
  json["first_conv"]["out_channels"] = -8;
  CHECK(Contains(ReadError(json), "/first_conv/out_channels"));
  json = MobileConfig();
  json["first_conv"]["out_channels"] = 1e300;
  CHECK(Contains(ReadError(json), "/first_conv/out_channels"));
  json = MobileConfig();
  json["first_conv"]["kernel_size"] = {3, 5, 7};
  CHECK(Contains(ReadError(json), "supernet"));
  json = MobileConfig();
  json["bn"]["ws_eps"] = 1e-5;
  CHECK(Contains(ReadError(json), "weight standardisation"));
  json = MobileConfig();
  json["blocks"][0]["conv"] = nullptr;
  CHECK(Contains(ReadError(json), "one of the keys"));
  json = MobileConfig();
  json["blocks"][2]["mobile_inverted_conv"]["stride"] = 2;
  CHECK(Contains(ReadError(json), "stride must be 1"));
  json = MobileConfig();
  json["blocks"][0]["shortcut"]["use_bn"] = true;
  CHECK(Contains(ReadError(json), "/blocks/0/shortcut"));
  json = MobileConfig();
  json["blocks"][0]["shortcut"]["in_channels"] = 16;
  CHECK(Contains(ReadError(json), "8 enter the block"));
  json = MobileConfig();
  json["blocks"][1]["shortcut"] = json["blocks"][0]["shortcut"];
  CHECK(Contains(ReadError(json), "/blocks/1"));
  json = MobileConfig();
  json.erase("classifier");
  CHECK(Contains(ReadError(json), "classifier"));
  json = MobileConfig();
  json["classifier"]["in_features"] = 65;
  CHECK(Contains(ReadError(json), "takes 65 features"));
}

TEST_CASE("layers that a class does not have are not written") {
  Architecture net = ShippedSpace("tiny").base();
  Layer pool;
  pool.op = "max_pool";
  pool.name = "blocks.9";
  pool.in_channels = pool.out_channels = 24;
  pool.kernel = 3;
  net.layers.insert(net.layers.begin() + 6, pool);
  CHECK(Contains(InputError([&] { ToNetConfig(net); }), "has no form in net.config"));
  net = ShippedSpace("tiny").base();
  net.layers.pop_back();
  CHECK(Contains(InputError([&] { ToNetConfig(net); }), "no classifier"));
}
