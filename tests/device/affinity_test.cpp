// SPDX-License-Identifier: Apache-2.0
#include "nas/device/affinity.h"

#include "nas/core/error.h"
#include "support/catch_compat.h"

using namespace nas;

TEST_CASE("core masks are hexadecimal") {
  CHECK(ToString(CoreMask{0xf0}) == "f0");
  CHECK(CoreIndices(0xf0) == std::vector<int>{4, 5, 6, 7});
  CHECK(ParseCoreMask(ToString(AllowedCores())) == AllowedCores());
  CHECK(ParseCoreMask("0x" + ToString(AllowedCores())) == AllowedCores());
  for (const char* bad : {"", "0", "xyz", "f 0", "-1", "11111111111111111"}) {
    INFO(bad);
    CHECK_THROWS_AS(ParseCoreMask(bad), Error);
  }
}

TEST_CASE("the fastest cluster is part of what is allowed") {
  const CoreMask fastest = FastestCluster();
  CHECK(fastest != 0);
  CHECK((fastest & ~AllowedCores()) == 0);
}

TEST_CASE("pinning lasts as long as its scope") {
  const CoreMask before = AllowedCores();
  const CoreMask one = CoreMask{1} << CoreIndices(before).front();
  {
    const AffinityScope scope(one);
    CHECK(scope.pinned());
    CHECK(AllowedCores() == one);
  }
  CHECK(AllowedCores() == before);
}
