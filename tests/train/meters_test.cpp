// SPDX-License-Identifier: Apache-2.0
#include "nas/train/meters.h"

#include "support/catch_compat.h"

namespace nas {
namespace {

TEST_CASE("the average weighs by count and goes on where it was restored") {
  AverageMeter meter;
  CHECK(meter.mean() == 0);
  meter.Add(1.0, 3);
  meter.Add(5.0, 1);
  CHECK(meter.mean() == 2.0);
  AverageMeter other;
  other.Restore(meter.sum(), meter.count());
  other.Add(2.0, 4);
  CHECK(other.mean() == 2.0);
  CHECK(other.count() == 8);
}

TEST_CASE("shares and rates are totals over totals, and 0 before anything came") {
  ShareMeter share;
  CHECK(share.share() == 0);
  share.Add(1, 4);
  share.Add(5, 8);
  CHECK(share.share() == 0.5);
  RateMeter rate;
  CHECK(rate.rate() == 0);
  rate.Add(10, 1.0);
  rate.Add(20, 2.0);
  CHECK(rate.rate() == 10.0);
}

}  // namespace
}  // namespace nas
