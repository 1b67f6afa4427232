// SPDX-License-Identifier: Apache-2.0
#include "nas/profile/profile_plan.h"

#include <algorithm>
#include <set>

#include "nas/core/stats.h"
#include "nas/core/text.h"
#include "nas/latency/block_key.h"
#include "simulated_profile.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

ProfilePlan Plan(const std::string& space, const std::string& plan, std::uint64_t seed = 0, int held_out = 0) {
  PlanOptions options;
  options.plan = plan;
  options.seed = seed;
  options.held_out = held_out;
  return MakePlan(test::LoadSpace(space), options);
}

std::vector<std::vector<std::string>> Keys(const std::vector<MeasureItem>& items) {
  std::vector<std::vector<std::string>> keys;
  for (const MeasureItem& item : items) keys.push_back(item.keys);
  return keys;
}

}  // namespace

TEST_CASE("§9.10 the plans have the numbers of the specification") {
  const ProfilePlan quick = Plan("cifar-mbconv", "quick");
  CHECK(quick.space_keys == 57);  // 9 places × 6 candidates, stem, mix, classifier
  CHECK(quick.blocks.size() == 48);
  CHECK(quick.calibrate.size() == 10);
  CHECK(quick.held_out.size() == 5);
  CHECK(quick.protocol.max_seconds == 1);
  CHECK(quick.protocol.max_pause_seconds == 15);
  CHECK(quick.protocol.deadline_seconds == 180);
  CHECK(quick.expected_seconds() < 90);

  const ProfilePlan full = Plan("cifar-mbconv", "full");
  CHECK(full.blocks.size() == 57);
  CHECK(full.calibrate.size() == 25);
  CHECK(full.held_out.size() == 30);
  CHECK(full.protocol.deadline_seconds == 1200);
  CHECK(full.expected_seconds() < 600);
  CHECK(Plan("cifar-mbconv", "full", 0, 40).held_out.size() == 40);
}

TEST_CASE("the stored protocol has the plan's own caps") {
  ProtocolOptions options = Plan("tiny", "quick", 9).protocol;
  const MeasureProtocol stored = StoredProtocol(options);
  CHECK(stored.mode == "chain");
  CHECK(stored.max_seconds == 1);
  CHECK(stored.order_seed == 9);
  CHECK(stored.warmup == "two windows of 5 within 2%");
  options.chain = false;
  CHECK(StoredProtocol(options).mode == "isolated");
}

TEST_CASE("§9.12 held-out networks come from the seed alone, and are in no other set") {
  const ProfilePlan full = Plan("cifar-mbconv", "full", 5);
  const auto held_out = Keys(full.held_out);
  // The first of them are those of a plan of another size.
  const auto few = Keys(Plan("cifar-mbconv", "quick", 5).held_out);
  CHECK(std::equal(few.begin(), few.end(), held_out.begin()));
  CHECK(Keys(Plan("cifar-mbconv", "full", 6).held_out) != held_out);
  std::set<std::vector<std::string>> all(held_out.begin(), held_out.end());
  for (const auto& keys : Keys(full.calibrate)) all.insert(keys);
  CHECK(all.size() == full.held_out.size() + full.calibrate.size());
}

TEST_CASE("drawn networks cover most of the range of the space") {
  const SearchSpace space = test::LoadSpace("cifar-mbconv");
  std::vector<double> macs;
  for (const MeasureItem& item : Plan("cifar-mbconv", "full").held_out) {
    macs.push_back(static_cast<double>(CountMacs(*item.network).value));
  }
  const double least = 12551680, most = 73590784;  // of the space (proxyless.md §12)
  CHECK(Quantile(macs, 0.1) < least + 0.4 * (most - least));
  CHECK(Quantile(macs, 0.9) > least + 0.6 * (most - least));
}

TEST_CASE("§9.5 a block item carries the neighbours that it has in a network") {
  for (const char* name : {"cifar-mbconv", "tiny", "macro-cifar", "proxyless-mobile"}) {
    const ProfilePlan plan = Plan(name, "full");
    std::set<std::string> timed;
    for (const MeasureItem& item : plan.blocks) {
      INFO(name << " " << item.id);
      const auto n = static_cast<int>(item.keys.size());
      CHECK(n >= 2);
      CHECK(item.timed < n);
      CHECK(item.id == "block " + item.keys[item.timed]);
      CHECK(timed.insert(item.keys[item.timed]).second);
      for (int i = 1; i < n; ++i) {
        const BlockKey before = ParseBlockKey(item.keys[i - 1]), after = ParseBlockKey(item.keys[i]);
        CHECK(before.cout == after.cin);
        CHECK(before.hout == after.h);
      }
    }
  }
}

TEST_CASE("every fixed piece of the network is measured") {
  std::set<std::string> ops;
  for (const MeasureItem& item : Plan("proxyless-mobile", "quick").blocks) {
    ops.insert(item.keys[item.timed].substr(0, item.keys[item.timed].find(':')));
  }
  CHECK(ops == std::set<std::string>{"conv", "conv_1", "logits", "mbconv"});
}

TEST_CASE("the reference is the cheapest network, and calibrates, too") {
  const SearchSpace space = test::LoadSpace("cifar-mbconv");
  const ProfilePlan plan = Plan("cifar-mbconv", "quick");
  CHECK(CountMacs(*plan.reference.network).value == 12551680);
  CHECK(plan.calibrate.front().id == plan.reference.id);
  CHECK(NetName(plan.reference) == "cifar-mbconv-reference");
}
