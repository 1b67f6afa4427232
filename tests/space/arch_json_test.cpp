// SPDX-License-Identifier: Apache-2.0
#include "nas/space/architecture.h"
#include "test_support.h"

using namespace nas;

namespace {

Json TinyNet() { return ToJson(ShippedSpace("tiny").Build(Choice{0, 1, 6, 3, 6})); }

std::string ReadError(const Json& json) {
  return InputError([&] { ArchitectureFromJson(Document(json)); });
}

}  // namespace

TEST_CASE("every field of a layer survives nas.architecture/1") {
  Architecture net = ShippedSpace("tiny").Build(Choice(5, 0));
  net.name = "a name with \"quotes\" and ümlauts";
  net.family = Family::kMobileNetV3;
  net.bn = {.momentum = 0.01, .eps = 1e-5};
  Layer& conv = net.layers[0];
  conv.bias = true;
  conv.dropout = 0.1;
  conv.ops_order = "act_weight_bn";
  conv.act = Activation::kHSwish;
  conv.use_se = true;
  Layer& block = net.layers[1];
  block.expand_ratio = 2.7000000000000001776;
  block.mid_channels = 22;
  block.use_se = true;
  block.act = Activation::kHSigmoid;
  CHECK(ArchitectureFromJson(Document(ToJson(net))) == net);
  // The form is stable: written, read and written again it has the same bytes.
  const std::string text = PrettyDump(ToJson(net));
  CHECK(PrettyDump(ToJson(ArchitectureFromJson(JsonDocument::Parse(text, "x")))) == text);
}

TEST_CASE("faults of a nas.architecture/1 file are named with place, value and remedy") {
  Json json = TinyNet();
  json["layers"][2]["op"] = "mbcnv";
  CHECK(Contains(ReadError(json), "test.json:"));
  CHECK(Contains(ReadError(json), "/layers/2"));
  CHECK(Contains(ReadError(json), "mbconv"));
  json = TinyNet();
  json["layers"][2]["in_channels"] = 9;
  CHECK(Contains(ReadError(json), "/layers/2"));
  CHECK(Contains(ReadError(json), "takes 9 channels"));
  json = TinyNet();
  json["layers"][2]["kernal"] = 3;
  CHECK(Contains(ReadError(json), "kernal"));
  json = TinyNet();
  json["layers"][2]["kernel"] = "3";
  CHECK(Contains(ReadError(json), "/layers/2/kernel"));
  json = TinyNet();
  json["family"] = "ResNet";
  CHECK(Contains(ReadError(json), "ResNets"));
  json = TinyNet();
  json["bn"]["eps"] = -1;
  CHECK(Contains(ReadError(json), "/bn/eps"));
  json = TinyNet();
  json["layers"] = Json::array();
  CHECK(Contains(ReadError(json), "0 layers"));
  json = TinyNet();
  json["resolution"] = 1e9;
  CHECK(Contains(ReadError(json), "resolution"));
  Json deep = {{"op", "transition"}, {"in_channels", 3}, {"out_channels", 3}};
  for (int i = 0; i < 50; ++i)
    deep = {{"op", "transition"}, {"in_channels", 3}, {"out_channels", 3}, {"children", {deep}}};
  json["resolution"] = 32;
  json["layers"] = {deep};
  CHECK(Contains(ReadError(json), "nested deeper"));
}
