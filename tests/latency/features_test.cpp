// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/features.h"

#include <cmath>

#include "support/catch_compat.h"

using namespace nas;

TEST_CASE("the test vectors of the feature definition") {
  const PhiVector a = Phi(ParseBlockKey("mbconv:56,24,28,40,144,5,2,0,0,relu6"));
  const PhiVector a_expected = {1,        10.838016, 2.8224,   2.8224, 0, 2.8224, 4.51584, 0.451584,
                                0.112896, 0.106624,  0.012816, 0,      0, 0,      0};
  const PhiVector b = Phi(ParseBlockKey("mbconv:14,112,14,112,672,7,1,1,1,hswish"));
  const PhiVector b_expected = {1,        14.751744, 6.453888, 0,        6.453888, 0,        14.751744, 0.131712,
                                0.131712, 0.043904,  0.409248, 0.131712, 0.263424, 0.021952, 1};
  REQUIRE(PhiNames().size() == kPhiSize);
  for (int j = 0; j < kPhiSize; ++j) {
    INFO(PhiNames()[j]);
    CHECK(a[j] == Approx(a_expected[j]).epsilon(1e-12).margin(0));
    CHECK(b[j] == Approx(b_expected[j]).epsilon(1e-12).margin(0));
  }
}

TEST_CASE("a block without expand conv has no expand terms") {
  const PhiVector phi = Phi(ParseBlockKey("mbconv:112,32,112,16,32,3,1,0,0,relu6"));
  CHECK(phi[1] == 0);
  CHECK(phi[7] == 0);
  CHECK(phi[10] == Approx((32 * 9 + 32 * 16) / 1e6));
}

TEST_CASE("channels can be rounded up before the features") {
  const BlockKey odd = ParseBlockKey("mbconv:14,30,14,30,90,3,1,1,0,relu");
  const BlockKey even = ParseBlockKey("mbconv:14,32,14,32,96,3,1,1,0,relu");
  CHECK(Phi(odd, 8) == Phi(even, 1));
  CHECK(Phi(odd, 1) != Phi(even, 1));
}

TEST_CASE("the shape vector") {
  const ShapeVector z = Shape(ParseBlockKey("mbconv:14,112,14,112,672,7,1,1,1,hswish"));
  CHECK(z[0] == Approx(std::log(14)));
  CHECK(z[3] == Approx(std::log(672)));
  CHECK(z[4] == 7);
  CHECK(z[5] == 1);
  CHECK(z[6] == 1);
  CHECK(z[7] == 1);
  CHECK(z[8] == 1);
}
