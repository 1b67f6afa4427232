// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/block_key.h"

#include "nas/core/error.h"
#include "support/catch_compat.h"

using namespace nas;

TEST_CASE("a block key is read and printed without loss") {
  for (const char* text :
       {"mbconv:56,24,28,40,144,5,2,0,0,relu6", "mbconv:14,112,14,112,672,7,1,1,1,hswish",
        "conv:224,3,112,32,0,0,0,0,0,-", "conv:32,3,32,16,0,0,0,0,0,-", "conv_1:7,320,7,1280,0,0,0,0,0,-",
        "conv_2:1,1152,1,1536,0,0,0,0,0,-", "avgpool2d:7,1152,1,1152,0,0,0,0,0,-", "logits:7,1280,1,1000,0,0,0,0,0,-",
        "conv1x1:16,32,8,64,0,0,2,0,0,-"}) {
    CHECK(ToString(ParseBlockKey(text)) == text);
  }
}

TEST_CASE("activation aliases become one spelling; relu and relu6 stay apart in the key and are one class") {
  CHECK(ToString(ParseBlockKey("mbconv:7,8,7,8,48,3,1,1,0,h_swish")) == "mbconv:7,8,7,8,48,3,1,1,0,hswish");
  CHECK(ParseBlockAct("hs") == BlockAct::kHSwish);
  CHECK(ParseBlockAct("hard_swish") == BlockAct::kHSwish);
  CHECK(ParseBlockAct("relu") != ParseBlockAct("relu6"));
  CHECK(ActClass(BlockAct::kRelu6) == "relu");
}

TEST_CASE("keys that break a rule are refused with the rule") {
  const auto message = [](const char* text) {
    try {
      ParseBlockKey(text);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kInput);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(message("mbconv:57,24,28,40,144,5,2,0,0,relu6"), Contains("expected 29"));
  CHECK_THAT(message("mbconv:56,24,28,24,144,5,2,1,0,relu6"), Contains("skip 1 needs s = 1"));
  CHECK_THAT(message("mbconv:56,24,56,40,144,5,1,1,0,relu6"), Contains("cin = cout"));
  CHECK_THAT(message("mbconv:56,24,28,40,144,4,2,0,0,relu6"), Contains("odd kernel"));
  CHECK_THAT(message("mbconv:56,24,28,40,144,5,2,0,0,-"), Contains("act"));
  CHECK_THAT(message("mbconv:56,24,28,40,144,5,2,0,0"), Contains("9 fields"));
  CHECK_THAT(message("mbconv:56,24,28,40,144,5,2,0,x,relu"), Contains("se is \"x\""));
  CHECK_THAT(message("mbcnv:56,24,28,40,144,5,2,0,0,relu"), Contains("did you mean \"mbconv\""));
  CHECK_THAT(message("mbconv 56"), Contains("mbconv:56,24,28,40,144,5,2,0,0,relu6"));
  CHECK_THAT(message("conv:224,3,111,32,0,0,0,0,0,-"), Contains("neither stride 1 nor stride 2"));
  CHECK_THAT(message("conv:224,3,112,32,8,0,0,0,0,-"), Contains("must be 0"));
  CHECK_THAT(message("conv_2:7,960,7,1280,0,0,0,0,0,-"), Contains("h = hout = 1"));
  CHECK_THAT(message("conv1x1:16,32,9,64,0,0,2,0,0,-"), Contains("expected 8"));
  CHECK_THAT(message("mbconv:0,24,28,40,144,5,2,0,0,relu6"), Contains("h 0"));
}

TEST_CASE("an odd side at stride 2 rounds up") { CHECK(ParseBlockKey("mbconv:7,8,4,8,48,3,2,0,0,relu").hout == 4); }

TEST_CASE("launches: 3 per MBConv, 2 without expand conv, 4 more with SE") {
  CHECK(BlockLaunches(ParseBlockKey("mbconv:56,24,28,40,144,5,2,0,0,relu6")) == 3);
  CHECK(BlockLaunches(ParseBlockKey("mbconv:112,32,112,16,32,3,1,0,0,relu6")) == 2);
  CHECK(BlockLaunches(ParseBlockKey("mbconv:14,112,14,112,672,7,1,1,1,hswish")) == 7);
  CHECK(BlockLaunches(ParseBlockKey("logits:1,1536,1,1000,0,0,0,0,0,-")) == 1);
  CHECK(BlockLaunches(ParseBlockKey("logits:7,1280,1,1000,0,0,0,0,0,-")) == 2);
}

TEST_CASE("MACs and weights of a block count its convs, SE included") {
  const BlockKey b = ParseBlockKey("mbconv:14,112,14,112,672,7,1,1,1,hswish");
  CHECK(SeWidth(672) == 168);
  CHECK(BlockMacs(b) == 14751744.0 + 6453888 + 14751744 + 2.0 * 672 * 168);
  CHECK(BlockWeights(b) == 409248.0);
  CHECK(BlockMacs(ParseBlockKey("conv:224,3,112,32,0,0,0,0,0,-")) == 112.0 * 112 * 27 * 32);
  CHECK(BlockMacs(ParseBlockKey("mbconv:112,32,112,16,32,3,1,0,0,relu6")) == 112.0 * 112 * 32 * (9 + 16));
}
