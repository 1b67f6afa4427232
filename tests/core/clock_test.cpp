// SPDX-License-Identifier: Apache-2.0
#include "nas/core/clock.h"

#include "nas/core/text.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

TEST_CASE("dates have their fixed forms") {
  CHECK(GlobMatch("20*-*-*T*:*:*Z", NowIso8601()));
  CHECK(NowIso8601().size() == 20);
  std::string day;
  std::string now;
  do {  // both from one day, even at midnight
    day = TodayCompact();
    now = NowIso8601();
  } while (day != TodayCompact());
  CHECK(day == now.substr(0, 4) + now.substr(5, 2) + now.substr(8, 2));
}

TEST_CASE("the stopwatch runs forward") {
  Stopwatch watch;
  const double first = watch.Seconds();
  const double second = watch.Seconds();
  CHECK(first >= 0);
  CHECK(second >= first);
  watch.Restart();
  CHECK(watch.Seconds() >= 0);
}

}  // namespace
}  // namespace nas
