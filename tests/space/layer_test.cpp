// SPDX-License-Identifier: Apache-2.0
#include "nas/space/layer.h"

#include "test_support.h"

using namespace nas;

TEST_CASE("MakeDivisible rounds half up, never below one step, and never loses over 10 %") {
  CHECK(MakeDivisible(32 * 0.35) == 16);  // 11.2: 8 would lose 29 %
  CHECK(MakeDivisible(12) == 16);
  CHECK(MakeDivisible(11.9) == 16);
  CHECK(MakeDivisible(80 * 1.4) == 112);
  CHECK(MakeDivisible(1) == 8);
  CHECK(MakeDivisible(20, 4) == 20);
  for (int n = 1; n <= 4000; ++n) {
    const double value = n * 0.37;
    const int rounded = MakeDivisible(value);
    CHECK(rounded % 8 == 0);
    CHECK(rounded >= 8);
    CHECK(rounded >= 0.9 * value);
    CHECK(rounded <= std::max(8.0, value + 8));
  }
  CHECK(Contains(InputError([] { MakeDivisible(1e12); }), "too large"));
}

TEST_CASE("activations are written and read by net.config's words") {
  for (const auto act : {Activation::kNone, Activation::kRelu, Activation::kRelu6, Activation::kTanh,
                         Activation::kSigmoid, Activation::kHSwish, Activation::kHSigmoid}) {
    CHECK(ParseActivation(ToString(act)) == act);
  }
  CHECK(ParseActivation("null") == Activation::kNone);
  for (const char* alias : {"hswish", "hard_swish", "hs"}) CHECK(ParseActivation(alias) == Activation::kHSwish);
  const std::string message = InputError([] { ParseActivation("gelu"); });
  for (const char* word : {"gelu", "relu6", "h_swish", "none"}) CHECK(Contains(message, word));
}
