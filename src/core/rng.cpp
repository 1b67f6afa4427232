// SPDX-License-Identifier: Apache-2.0
#include "nas/core/rng.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "nas/core/error.h"

namespace nas {

namespace {

std::uint64_t SplitMixFinalizer(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

std::array<std::uint32_t, 4> Philox4x32(std::array<std::uint32_t, 2> key, std::array<std::uint32_t, 4> counter) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
  constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
  constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

double UniformFromWord(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

CounterRng::CounterRng(std::uint64_t seed, std::uint64_t stream, std::uint32_t substream) {
  // Path sampling uses the plain seed as its Philox key; a key of its own keeps this sequence independent of it.
  constexpr std::uint64_t kSequenceSalt = 0x6e61732e73657131;
  const std::uint64_t mixed = MixSeed(seed, kSequenceSalt);
  key_ = {static_cast<std::uint32_t>(mixed), static_cast<std::uint32_t>(mixed >> 32)};
  counter_ = {0, substream, static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)};
}

std::uint32_t CounterRng::Next() {
  if (used_ == 4) {
    words_ = Philox4x32(key_, counter_);
    ++counter_[0];
    used_ = 0;
  }
  return words_[static_cast<std::size_t>(used_++)];
}

double CounterRng::Uniform() { return UniformFromWord(Next()); }

double CounterRng::Normal() {
  const double radius = std::sqrt(-2 * std::log(Uniform()));
  return radius * std::cos(2 * std::numbers::pi * Uniform());
}

std::uint64_t CounterRng::Below(std::uint64_t n) {
  if (n == 0) ThrowInternal("CounterRng::Below(0): there is no number below zero");
  // Words under (2^w mod n) are drawn again, so that each remainder has equally many words.
  if (n <= 0xffffffffu) {
    const auto bound = static_cast<std::uint32_t>(n);
    const std::uint32_t rejected = (0u - bound) % bound;
    for (;;) {
      const std::uint32_t word = Next();
      if (word >= rejected) return word % bound;
    }
  }
  const std::uint64_t rejected = (0 - n) % n;
  for (;;) {
    const std::uint64_t low = Next();
    const std::uint64_t word = (static_cast<std::uint64_t>(Next()) << 32) | low;
    if (word >= rejected) return word % n;
  }
}

std::vector<std::int64_t> CounterRng::Permutation(std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n < 0 ? 0 : n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[Below(i)]);
  return order;
}

std::uint64_t MixSeed(std::uint64_t seed, std::uint64_t salt) {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15u;
  return SplitMixFinalizer(SplitMixFinalizer(seed + kGolden) ^ (salt + kGolden));
}

}  // namespace nas
