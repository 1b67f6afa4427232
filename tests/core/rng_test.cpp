// SPDX-License-Identifier: Apache-2.0
#include "nas/core/rng.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/expect_error.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST_CASE("Philox4x32-10 gives its published answers") {
  CHECK(Philox4x32({0, 0}, {0, 0, 0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(Philox4x32({0xa4093822, 0x299f31d0}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  const std::uint32_t ones = 0xffffffff;
  CHECK(Philox4x32({ones, ones}, {ones, ones, ones, ones}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
}

TEST_CASE("uniform numbers never reach 0 or 1") {
  CHECK(UniformFromWord(0) == 0x1p-33);
  CHECK(UniformFromWord(0xffffffff) == 1 - 0x1p-33);
  CHECK(UniformFromWord(0x80000000) == 0.5 + 0x1p-33);
}

TEST_CASE("a sequence is a function of seed, stream and substream, and copies continue alike") {
  const auto first = [](CounterRng rng) {
    std::vector<std::uint32_t> words;
    for (int i = 0; i < 9; ++i) words.push_back(rng.Next());
    return words;
  };
  CHECK(first(CounterRng(5, 6, 7)) == first(CounterRng(5, 6, 7)));
  std::set<std::vector<std::uint32_t>> different;
  const std::uint64_t high = std::uint64_t{1} << 32;
  for (const CounterRng& rng : {CounterRng(5, 6, 7), CounterRng(6, 6, 7), CounterRng(5, 7, 7), CounterRng(5, 6, 8),
                                CounterRng(5 + high, 6, 7), CounterRng(5, 6 + high, 7), CounterRng(7, 6, 5)}) {
    different.insert(first(rng));
  }
  CHECK(different.size() == 7);
  CounterRng rng(1);
  for (int i = 0; i < 6; ++i) rng.Next();  // inside a block of four
  CounterRng copy = rng;
  for (int i = 0; i < 10; ++i) CHECK(copy.Normal() == rng.Normal());
}

TEST_CASE("a sequence does not repeat the words that path sampling draws from the same seed") {
  CounterRng rng(42);
  const Words sampling = Philox4x32({42, 0}, {0, 0, 0, 0});
  CHECK(rng.Next() != sampling[0]);
}

TEST_CASE("uniform and normal numbers have their moments") {
  CounterRng rng(11);
  constexpr int kDraws = 200000;
  double sum = 0;
  double squares = 0;
  double normal_sum = 0;
  double normal_squares = 0;
  double normal_fourth = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = rng.Uniform();
    sum += u;
    squares += u * u;
    const double z = rng.Normal();
    normal_sum += z;
    normal_squares += z * z;
    normal_fourth += z * z * z * z;
  }
  // Bounds of five standard errors.
  CHECK(std::abs(sum / kDraws - 0.5) < 5 * 0.289 / std::sqrt(kDraws));
  CHECK(std::abs(squares / kDraws - 1.0 / 3) < 5 * 0.298 / std::sqrt(kDraws));
  CHECK(std::abs(normal_sum / kDraws) < 5 / std::sqrt(kDraws));
  CHECK(std::abs(normal_squares / kDraws - 1) < 5 * std::sqrt(2.0 / kDraws));
  CHECK(std::abs(normal_fourth / kDraws - 3) < 5 * std::sqrt(96.0 / kDraws));
}

TEST_CASE("Below is unbiased, also where the range does not divide the words") {
  CounterRng rng(12);
  std::vector<int> counts(7);
  constexpr int kDraws = 70000;
  for (int i = 0; i < kDraws; ++i) ++counts[rng.Below(7)];
  double chi_squared = 0;
  for (int count : counts) chi_squared += (count - 1e4) * (count - 1e4) / 1e4;
  CHECK(chi_squared < 27.9);  // 6 degrees of freedom, p = 1e-4
  // Of 3·2^30 values the plain remainder would give the lowest third twice as often.
  const std::uint64_t n = std::uint64_t{3} << 30;
  int low = 0;
  for (int i = 0; i < 30000; ++i) low += rng.Below(n) < n / 3 ? 1 : 0;
  CHECK(std::abs(low - 10000) < 5 * 82);
  const std::uint64_t large = std::uint64_t{3} << 62;
  low = 0;
  for (int i = 0; i < 30000; ++i) {
    const std::uint64_t value = rng.Below(large);
    REQUIRE(value < large);
    low += value < large / 3 ? 1 : 0;
  }
  CHECK(std::abs(low - 10000) < 5 * 82);
  CHECK(rng.Below(1) == 0);
  CHECK(testing::MessageOf(ErrorKind::kInternal, [&] { rng.Below(0); }).find("Below(0)") != std::string::npos);
}

TEST_CASE("Permutation holds every number once and every order alike") {
  CounterRng rng(13);
  std::vector<std::int64_t> order = rng.Permutation(1000);
  std::vector<std::int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::int64_t> expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(sorted == expected);
  CHECK(order != expected);
  std::vector<int> counts(27);
  for (int i = 0; i < 6000; ++i) {
    const auto three = rng.Permutation(3);
    ++counts[static_cast<std::size_t>(three[0] * 9 + three[1] * 3 + three[2])];
  }
  int orders = 0;
  for (int count : counts) {
    if (count == 0) continue;
    ++orders;
    CHECK(std::abs(count - 1000) < 5 * 29);
  }
  CHECK(orders == 6);
  CHECK(rng.Permutation(0).empty());
}

TEST_CASE("MixSeed keeps neighbouring seeds and salts apart and is not symmetric") {
  std::set<std::uint64_t> mixed;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (std::uint64_t salt = 0; salt < 100; ++salt) mixed.insert(MixSeed(seed, salt));
  }
  CHECK(mixed.size() == 10000);
  CHECK(MixSeed(1, 2) != MixSeed(2, 1));
  static_assert(sizeof(MixSeed(0, 0)) == 8);
}

}  // namespace
}  // namespace nas
