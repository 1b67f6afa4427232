// SPDX-License-Identifier: Apache-2.0
#include "profile/block_design.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>

#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "nas/latency/features.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

// Kernels, expansions, SE and activations over a few stages: more blocks than anybody wants to time.
std::vector<BlockKey> Grid() {
  std::vector<BlockKey> keys;
  const int widths[] = {16, 24, 40, 80, 112, 160};
  int h = 112;
  for (int stage = 0; stage + 1 < 6; ++stage) {
    for (const int s : {2, 1}) {
      const int cin = s == 2 ? widths[stage] : widths[stage + 1], cout = widths[stage + 1];
      for (const int k : {3, 5, 7}) {
        for (const int e : {3, 6}) {
          for (const bool se : {false, true}) {
            BlockKey key{BlockOp::kMbconv,
                         h,
                         cin,
                         (h - 1) / s + 1,
                         cout,
                         cin * e,
                         k,
                         s,
                         s == 1 && cin == cout,
                         se,
                         se ? BlockAct::kHSwish : BlockAct::kRelu};
            keys.push_back(key);
          }
        }
      }
      if (s == 2) h = (h - 1) / 2 + 1;
    }
  }
  return keys;
}

double LogDeterminant(const std::vector<BlockKey>& keys, const std::vector<int>& chosen) {
  Eigen::MatrixXd m = 1e-6 * Eigen::MatrixXd::Identity(kPhiSize, kPhiSize);
  for (const int i : chosen) {
    const PhiVector phi = Phi(keys[i]);
    const double sum = std::accumulate(phi.begin(), phi.end(), 0.0);
    Eigen::VectorXd row(kPhiSize);
    for (int j = 0; j < kPhiSize; ++j) row(j) = phi[j] / sum;
    m += row * row.transpose();
  }
  return std::log(m.determinant());
}

}  // namespace

TEST_CASE("all blocks are chosen when there is room, each once") {
  const auto keys = Grid();
  std::vector<int> chosen = detail::ChooseBlocks(keys, 1000);
  std::sort(chosen.begin(), chosen.end());
  REQUIRE(chosen.size() == keys.size());
  for (int i = 0; i < static_cast<int>(keys.size()); ++i) CHECK(chosen[i] == i);
  CHECK(detail::ChooseBlocks(keys, 0).empty());
  CHECK(detail::ChooseBlocks({}, 5).empty());
}

TEST_CASE("each kernel, stride, SE, activation, stage and both ends of the resolution occur") {
  const auto keys = Grid();
  for (const int count : {14, 20, 48}) {
    std::set<std::string> all, seen;
    const auto add = [](std::set<std::string>& set, const BlockKey& key) {
      set.insert(StrCat("k", key.k));
      set.insert(StrCat("s", key.s));
      set.insert(StrCat("se", key.se));
      set.insert(StrCat("act", ActClass(key.act)));
      set.insert(StrCat("stage", key.hout, "x", key.cout));
      set.insert(key.h == 112 ? "largest" : key.h == 4 ? "smallest" : "between");
    };
    for (const BlockKey& key : keys) add(all, key);
    const auto chosen = detail::ChooseBlocks(keys, count);
    CHECK(static_cast<int>(chosen.size()) == count);
    for (const int i : chosen) add(seen, keys[i]);
    INFO("count " << count);
    CHECK(seen == all);
  }
}

TEST_CASE("the choice spreads better than chance") {
  const auto keys = Grid();
  const double chosen = LogDeterminant(keys, detail::ChooseBlocks(keys, 30));
  CounterRng rng(5);
  for (int i = 0; i < 20; ++i) {
    std::vector<int> random;
    for (const auto index : rng.Permutation(static_cast<std::int64_t>(keys.size()))) {
      if (random.size() < 30) random.push_back(static_cast<int>(index));
    }
    CHECK(chosen > LogDeterminant(keys, random));
  }
  CHECK(detail::ChooseBlocks(keys, 30) == detail::ChooseBlocks(keys, 30));
}
