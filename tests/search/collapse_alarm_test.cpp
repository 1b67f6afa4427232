// SPDX-License-Identifier: Apache-2.0
#include "nas/search/collapse_alarm.h"

#include "nas/core/error.h"
#include "search_host_test.h"

namespace nas {
namespace {

using test::Space;

// Skipping is most probable on the first `count` skippable edges; `sharpness` is the alpha of the preferred op.
ArchParameters Skipping(const SearchSpace& space, int count, double sharpness) {
  Matrix alpha;
  for (const Edge& edge : space.edges()) {
    auto& row = alpha.emplace_back(edge.size(), 0.0);
    const bool skip = edge.skip_op >= 0 && count-- > 0;
    row[skip ? edge.skip_op : (edge.skip_op == 1 ? 0 : 1)] = sharpness;
  }
  return ArchParameters(alpha);
}

TEST_CASE("Skipping nearly everywhere in the first half raises the alarm", "[collapse]") {
  const SearchSpace space = Space("macro-cifar");  // 5 skippable edges
  CHECK(CheckCollapse(space, Skipping(space, 5, 1), 0.4, true));
  CHECK_FALSE(CheckCollapse(space, Skipping(space, 4, 1), 0.4, true));  // 80 % is not more than 80 %
  CHECK_FALSE(CheckCollapse(space, Skipping(space, 5, 1), 0.5, true));
  const auto text = CheckCollapse(space, Skipping(space, 5, 1), 0.25, true);
  REQUIRE(text);
  CHECK(text->find("5 of 5 skippable edges after 25 %") != std::string::npos);
}

TEST_CASE("Thirteen of fifteen edges is above four fifths", "[collapse]") {
  const SearchSpace space = Space("proxyless-mobile");
  CHECK(CheckCollapse(space, Skipping(space, 13, 1), 0, true));
  CHECK_FALSE(CheckCollapse(space, Skipping(space, 12, 1), 0, true));
}

TEST_CASE("Deciding in the first third raises the alarm, where the search is long enough", "[collapse]") {
  const SearchSpace space = Space("macro-cifar");
  const ArchParameters decided = Skipping(space, 0, 12);
  CHECK(CheckCollapse(space, decided, 0.3, true));
  CHECK_FALSE(CheckCollapse(space, decided, 0.3, false));
  CHECK_FALSE(CheckCollapse(space, decided, 1.0 / 3, true));
  CHECK_FALSE(CheckCollapse(space, ArchParameters(space, 0), 0, true));
  CHECK(CheckCollapse(space, decided, 0.3, true)->find("entropy") != std::string::npos);
}

TEST_CASE("The strict exit of a collapse is 7", "[collapse][oracle15]") { CHECK(ExitCode(ErrorKind::kTraining) == 7); }

}  // namespace
}  // namespace nas
