// SPDX-License-Identifier: Apache-2.0
#include "nas/search/path_sampler.h"

#include <array>

#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"

namespace nas {
namespace {

std::array<std::uint32_t, 4> Words(std::uint64_t seed, std::size_t edge, std::uint32_t stream, std::uint64_t step) {
  return Philox4x32({static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
                    {static_cast<std::uint32_t>(edge), stream, static_cast<std::uint32_t>(step),
                     static_cast<std::uint32_t>(step >> 32)});
}

// First op whose cumulative share exceeds u, `except` left out and the rest renormalised; −1 when no op is left.
int DrawOp(const std::vector<double>& p, double u, int except) {
  double total = 1;
  if (except >= 0) {
    total = 0;
    for (int i = 0; i < static_cast<int>(p.size()); ++i) total += i == except ? 0 : p[i];
  }
  double cumulative = 0;
  int most_probable = -1;
  for (int i = 0; i < static_cast<int>(p.size()); ++i) {
    if (i == except || p[i] <= 0) continue;
    cumulative += p[i];
    if (cumulative > u * total) return i;
    if (most_probable < 0 || p[i] > p[most_probable]) most_probable = i;
  }
  return most_probable;  // rounding left a gap below u, or nothing of the mass
}

int DrawFirst(const std::vector<double>& p, double u, std::size_t edge) {
  const int op = DrawOp(p, u, /*except=*/-1);
  if (op < 0) ThrowInternal(StrCat("edge ", edge, " has no candidate left to draw"));
  return op;
}

}  // namespace

Choice PathSampler::Draw(const Matrix& p, std::uint32_t stream, std::uint64_t step) const {
  Choice choice(p.size());
  for (std::size_t e = 0; e < p.size(); ++e) {
    choice[e] = DrawFirst(p[e], UniformFromWord(Words(seed_, e, stream, step)[0]), e);
  }
  return choice;
}

Choice PathSampler::DrawFair(const Matrix& p, std::uint64_t step) const {
  Choice choice(p.size());
  for (std::size_t e = 0; e < p.size(); ++e) {
    std::vector<int> left;
    for (int op = 0; op < static_cast<int>(p[e].size()); ++op) {
      if (p[e][op] > 0) left.push_back(op);
    }
    if (left.empty()) ThrowInternal(StrCat("edge ", e, " has no candidate left to draw"));
    const std::uint64_t round = step / left.size();
    CounterRng rng(MixSeed(MixSeed(seed_, kFairStream), e), round);
    const std::vector<std::int64_t> order = rng.Permutation(static_cast<std::int64_t>(left.size()));
    choice[e] = left[static_cast<std::size_t>(order[step % left.size()])];
  }
  return choice;
}

std::vector<EdgeSample> PathSampler::DrawPairs(const Matrix& p, std::uint32_t stream, std::uint64_t step) const {
  std::vector<EdgeSample> sample(p.size());
  for (std::size_t e = 0; e < p.size(); ++e) {
    const auto words = Words(seed_, e, stream, step);
    const int first = DrawFirst(p[e], UniformFromWord(words[0]), e);
    const int second = DrawOp(p[e], UniformFromWord(words[1]), first);
    if (second < 0) {
      sample[e] = {first, -1};
      continue;
    }
    const double share = p[e][first] / (p[e][first] + p[e][second]);
    const bool first_is_active = share > UniformFromWord(words[2]);
    sample[e] = first_is_active ? EdgeSample{first, second} : EdgeSample{second, first};
  }
  return sample;
}

}  // namespace nas
