// SPDX-License-Identifier: Apache-2.0
#include "nas/search/path_sampler.h"

#include <cmath>
#include <set>

#include "nas/core/rng.h"
#include "search_host_test.h"

namespace nas {
namespace {

TEST_CASE("Philox gives the published words", "[sampling]") {
  CHECK(Philox4x32({0, 0}, {0, 0, 0, 0}) ==
        std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(Philox4x32({0xa4093822, 0x299f31d0}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}) ==
        std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("Draws use the words of (seed, edge, stream, step) in their order", "[sampling]") {
  // Key 0, counter 0: u = 0.39904, 0.88052, 0.73571.
  const PathSampler sampler(0);
  CHECK(sampler.Draw({{0.398, 0.602}}, kWeightStream, 0) == Choice{1});
  CHECK(sampler.Draw({{0.4, 0.6}}, kWeightStream, 0) == Choice{0});
  // First draw op 1; then 0.88052 of what is left (0.3, 0.3); then 0.73571 of the pair.
  const auto late = sampler.DrawPairs({{0.3, 0.4, 0.3}}, kWeightStream, 0)[0];
  CHECK(late.active == 2);
  CHECK(late.inactive == 1);
  const auto early = sampler.DrawPairs({{0.2, 0.74, 0.06}}, kWeightStream, 0)[0];
  CHECK(early.active == 1);
  CHECK(early.inactive == 2);

  // Seed, edge, stream and step stand where N5 puts them.
  const std::uint64_t seed = 0x299f31d0a4093822;
  const std::uint64_t step = 0x0370734413198a2e;
  const Matrix p(3, {0.1, 0.2, 0.3, 0.4});
  for (std::uint32_t edge = 0; edge < 3; ++edge) {
    const auto words = Philox4x32({0xa4093822, 0x299f31d0}, {edge, 17, 0x13198a2e, 0x03707344});
    const double u = UniformFromWord(words[0]);
    CHECK(PathSampler(seed).Draw(p, 17, step)[edge] == (u < 0.1 ? 0 : u < 0.3 ? 1 : u < 0.6 ? 2 : 3));
  }
}

TEST_CASE("Draws follow p", "[sampling]") {
  const std::vector<double> p{0.02, 0.38, 0, 0.25, 0.35};
  const PathSampler sampler(7);
  std::vector<int> count(p.size(), 0);
  constexpr int kDraws = 100000;
  for (int step = 0; step < kDraws; ++step) ++count[sampler.Draw({p}, kWeightStream, step)[0]];
  double chi_square = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] == 0) {
      CHECK(count[i] == 0);
      continue;
    }
    chi_square += std::pow(count[i] - kDraws * p[i], 2) / (kDraws * p[i]);
  }
  CHECK(chi_square < 16.27);  // 99.9 % quantile, 3 degrees of freedom
}

TEST_CASE("Fair draws take every candidate once per round", "[sampling]") {
  const PathSampler sampler(11);
  const Matrix p{{0.9, 0.05, 0.05}, {0.2, 0, 0.3, 0.5}, {0, 1}};  // candidates left: 3, 3, 1
  std::set<Choice> seen;
  int alike = 0;
  for (std::uint64_t round = 0; round < 200; ++round) {
    std::vector<std::set<int>> taken(p.size());
    for (std::uint64_t i = 0; i < 3; ++i) {
      const Choice choice = sampler.DrawFair(p, 3 * round + i);
      CHECK(choice == sampler.DrawFair(p, 3 * round + i));
      seen.insert(choice);
      alike += choice[1] == (choice[0] == 0 ? 0 : choice[0] + 1);
      for (std::size_t e = 0; e < p.size(); ++e) taken[e].insert(choice[e]);
    }
    CHECK(taken[0] == std::set<int>{0, 1, 2});
    CHECK(taken[1] == std::set<int>{0, 2, 3});
    CHECK(taken[2] == std::set<int>{1});
  }
  CHECK(seen.size() == 9);                // edges are independent of one another
  CHECK(std::abs(alike - 200) < 4 * 14);  // a third of 600 draws, standard deviation 14 where rounds are independent
}

TEST_CASE("Active op of a pair has the marginals of the released code", "[sampling]") {
  const Matrix p{{0.9, 0.05, 0.05}};
  const PathSampler sampler(11);
  std::vector<double> active(3, 0);
  constexpr int kDraws = 100000;
  for (int step = 0; step < kDraws; ++step) {
    const EdgeSample sample = sampler.DrawPairs(p, kArchStream, step)[0];
    REQUIRE(sample.active != sample.inactive);
    ++active[sample.active];
  }
  const double expected[] = {0.942382, 0.028809, 0.028809};
  for (int i = 0; i < 3; ++i) {
    const double deviation = std::sqrt(expected[i] * (1 - expected[i]) / kDraws);
    CHECK(std::abs(active[i] / kDraws - expected[i]) < 4 * deviation);
  }
}

TEST_CASE("Draws depend on nothing but seed, stream, step and edge", "[sampling]") {
  CounterRng rng(1);
  const SearchSpace space = test::Space("tiny");
  const Matrix p = ArchParameters(test::RandomAlphas(space, rng, 1)).Probabilities();
  const PathSampler first(5), again(5), other(6);
  std::vector<Choice> forwards, backwards, other_seed, other_stream;
  for (std::uint64_t step = 0; step < 50; ++step) {
    forwards.push_back(first.Draw(p, kWeightStream, step));
    backwards.push_back(again.Draw(p, kWeightStream, 49 - step));
    other_seed.push_back(other.Draw(p, kWeightStream, step));
    other_stream.push_back(first.Draw(p, kArchStream, step));
  }
  std::reverse(backwards.begin(), backwards.end());
  CHECK(forwards == backwards);
  CHECK(forwards != other_seed);
  CHECK(forwards != other_stream);
  // An edge's draw does not depend on the other edges.
  Matrix changed = p;
  std::reverse(changed[0].begin(), changed[0].end());
  for (std::uint64_t step = 0; step < 50; ++step) {
    const Choice choice = first.Draw(changed, kWeightStream, step);
    CHECK(std::equal(choice.begin() + 1, choice.end(), forwards[step].begin() + 1));
  }
}

TEST_CASE("Pairs of an edge that has nearly, or entirely, one op left", "[sampling]") {
  const PathSampler sampler(3);
  for (std::uint64_t step = 0; step < 200; ++step) {
    const EdgeSample alone = sampler.DrawPairs({{0, 1, 0}}, kArchStream, step)[0];
    CHECK(alone.active == 1);
    CHECK(alone.inactive == -1);
    // The rest holds no mass that the sum could show: still two distinct ops, never the pruned one.
    const EdgeSample pair = sampler.DrawPairs({{1e-300, 1, 0}}, kArchStream, step)[0];
    CHECK(pair.active == 1);
    CHECK(pair.inactive == 0);
  }
}

}  // namespace
}  // namespace nas
