// SPDX-License-Identifier: Apache-2.0
#include "profile/key_layers.h"

#include "nas/core/text.h"
#include "nas/space/architecture.h"
#include "simulated_profile.h"
#include "support/catch_compat.h"

using namespace nas;

TEST_CASE("a network rebuilt from its keys is the same work") {
  for (const char* name : {"cifar-mbconv", "tiny", "macro-cifar", "proxyless-mobile"}) {
    const SearchSpace space = test::LoadSpace(name);
    CounterRng rng(3);
    for (int i = 0; i < 10; ++i) {
      const Architecture original = space.Build(space.Sample(rng));
      Architecture rebuilt;
      rebuilt.resolution = original.resolution;
      for (const std::string& key : LatencyKeys(original)) {
        if (key.empty()) continue;
        for (const Layer& layer : detail::LayersOfKey(ParseBlockKey(key), StrCat("blocks.", rebuilt.layers.size()))) {
          rebuilt.layers.push_back(layer);
        }
      }
      INFO(name);
      CHECK(CountMacs(rebuilt) == CountMacs(original));
      CHECK(rebuilt.classes() == original.classes());
      CHECK(InferShapes(rebuilt).back() == InferShapes(original).back());
    }
  }
}

TEST_CASE("what a key says is kept: SE, activation, missing expansion, skip") {
  const auto layers = detail::LayersOfKey(ParseBlockKey("mbconv:14,112,14,112,672,7,1,1,1,hswish"), "b");
  REQUIRE(layers.size() == 1);
  CHECK(layers[0].use_se);
  CHECK(layers[0].skip);
  CHECK(layers[0].act == Activation::kHSwish);
  CHECK(layers[0].mid_channels == 672);
  CHECK(detail::LayersOfKey(ParseBlockKey("mbconv:112,32,112,16,32,3,1,0,0,relu6"), "b")[0].expand_ratio == 1);
  CHECK(detail::LayersOfKey(ParseBlockKey("logits:7,1280,1,1000,0,0,0,0,0,-"), "b").size() == 2);
  CHECK(detail::LayersOfKey(ParseBlockKey("logits:1,1280,1,1000,0,0,0,0,0,-"), "b").size() == 1);
}
