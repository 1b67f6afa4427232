// SPDX-License-Identifier: Apache-2.0
#include "nas/space/arch_diff.h"

#include "test_support.h"

using namespace nas;

TEST_CASE("equal networks have no differences, whatever they are called") {
  const SearchSpace space = ShippedSpace("tiny");
  Architecture a = space.Build(Choice(5, 2));
  Architecture b = a;
  b.name = "other";
  CHECK(ArchDiff(a, b).empty());
}

TEST_CASE("differing blocks are listed with both labels and the fields") {
  const SearchSpace space = ShippedSpace("tiny");
  const std::vector<LayerDifference> diff =
      ArchDiff(space.Build(Choice{0, 1, 2, 3, 6}), space.Build(Choice{0, 1, 3, 3, 0}));
  REQUIRE(diff.size() == 2);
  CHECK(diff[0].name == "blocks.2");
  CHECK(diff[0].a == 3);
  CHECK(diff[0].b == 3);
  CHECK(diff[0].a_label == "k5e3 16->16");
  CHECK(diff[0].b_label == "k5e6 16->16");
  CHECK(diff[0].fields == "expand_ratio, mid_channels");
  CHECK(diff[1].name == "blocks.4");
  CHECK(diff[1].a_label == "Zero 24->24");
  CHECK(diff[1].b_label == "k3e3 24->24");
}

TEST_CASE("layers that only one network has") {
  const SearchSpace space = ShippedSpace("tiny");
  const Architecture a = space.Build(Choice(5, 0));
  Architecture b = a;
  b.layers.erase(b.layers.begin() + 5);  // blocks.4
  std::vector<LayerDifference> diff = ArchDiff(a, b);
  REQUIRE(diff.size() == 1);
  CHECK(diff[0].name == "blocks.4");
  CHECK(diff[0].a == 5);
  CHECK(diff[0].b == -1);
  CHECK(diff[0].b_label.empty());
  diff = ArchDiff(b, a);
  REQUIRE(diff.size() == 1);
  CHECK(diff[0].a == -1);
  CHECK(diff[0].b == 5);
  CHECK(ArchDiff(a, ShippedSpace("cifar-mbconv").Build(Choice(11, 0))).size() >= 11);
}
