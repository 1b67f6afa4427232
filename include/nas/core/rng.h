// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace nas {

/// Philox4x32-10 (Salmon et al., SC 2011): four random words as a pure function of a 64-bit key and a 128-bit counter.
std::array<std::uint32_t, 4> Philox4x32(std::array<std::uint32_t, 2> key, std::array<std::uint32_t, 4> counter);

/// A uniform number in (0, 1) from one word: (x + 0.5)·2^-32.
double UniformFromWord(std::uint32_t word);

/// A sequence of random numbers that is a pure function of (seed, stream, substream); copies continue alike.
/// There is no global generator: whoever needs randomness is handed one of these.
class CounterRng {
 public:
  explicit CounterRng(std::uint64_t seed, std::uint64_t stream = 0, std::uint32_t substream = 0);

  std::uint32_t Next();
  double Uniform();                      ///< in (0, 1)
  double Normal();                       ///< N(0, 1), Box–Muller
  std::uint64_t Below(std::uint64_t n);  ///< unbiased integer in [0, n); n ≥ 1

  /// Fisher–Yates shuffle of 0…n−1.
  std::vector<std::int64_t> Permutation(std::int64_t n);

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> words_{};
  int used_ = 4;
};

/// Mixes two 64-bit values into one (SplitMix64 finaliser); derives sub-seeds.
std::uint64_t MixSeed(std::uint64_t seed, std::uint64_t salt);

}  // namespace nas
