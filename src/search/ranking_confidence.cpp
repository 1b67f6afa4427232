// SPDX-License-Identifier: Apache-2.0
#include "nas/search/ranking_confidence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/stats.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr int kLeastArchitectures = 8;
constexpr int kResamples = 1000;
constexpr double kEnoughTau = 0.5;
constexpr std::uint64_t kSalt = 0x72616e6b;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Values = std::vector<double>;

// Kendall's τ of the whole from that of its halves: both to Pearson's r of a bivariate normal (Greiner's relation),
// there the Spearman–Brown formula for double length.
double ForWholeSet(double tau_of_halves) {
  const double r = std::sin(std::numbers::pi / 2 * tau_of_halves);
  const double whole = 2 * r / (1 + std::max(r, -0.5));
  return 2 / std::numbers::pi * std::asin(std::clamp(whole, -1.0, 1.0));
}

Values Ranks(const Values& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) { return values[x] < values[y]; });
  Values ranks(values.size());
  for (std::size_t first = 0, next = 0; first < order.size(); first = next) {
    while (next < order.size() && values[order[next]] == values[order[first]]) ++next;
    for (std::size_t i = first; i < next; ++i) ranks[order[i]] = static_cast<double>(first + next - 1) / 2;
  }
  return ranks;
}

Values Centred(Values values) {
  const double mean = Mean(values);
  for (double& value : values) value -= mean;
  return values;
}

double Dot(const Values& x, const Values& y) { return std::inner_product(x.begin(), x.end(), y.begin(), 0.0); }

// Takes the part along `direction` out of `values`, both centred; a direction without length explains nothing.
void Remove(const Values& direction, double least_length, Values* values) {
  const double length = Dot(direction, direction);
  if (length <= least_length) return;
  const double share = Dot(*values, direction) / length;
  for (std::size_t i = 0; i < values->size(); ++i) (*values)[i] -= share * direction[i];
}

// Ranks of `values` less their least-squares fit by the ranks of MACs and blocks.
Values Residual(const Values& values, const Values& macs, const Values& blocks) {
  const Values by_macs = Centred(Ranks(macs));
  Values by_blocks = Centred(Ranks(blocks));
  const double least_length = 1e-9 * static_cast<double>(values.size());
  Remove(by_macs, least_length, &by_blocks);
  Values rest = Centred(Ranks(values));
  Remove(by_macs, least_length, &rest);
  Remove(by_blocks, least_length, &rest);
  return rest;
}

// The architectures of `rows`, in that order and with repetitions.
Values Pick(const Values& values, const std::vector<std::size_t>& rows) {
  Values picked;
  if (values.empty()) return picked;
  for (const std::size_t row : rows) picked.push_back(values[row]);
  return picked;
}

RankingSample Pick(const RankingSample& sample, const std::vector<std::size_t>& rows) {
  return {Pick(sample.half_a, rows), Pick(sample.half_b, rows), Pick(sample.earlier, rows), Pick(sample.blocks, rows),
          Pick(sample.macs, rows)};
}

enum Statistic { kHalves, kSplitHalf, kCheckpoints, kMacs, kBlocks, kBeyondCounts, kStatistics };

std::array<double, kStatistics> Statistics(const RankingSample& s) {
  Values whole;
  for (std::size_t i = 0; i < s.half_a.size(); ++i) whole.push_back((s.half_a[i] + s.half_b[i]) / 2);
  std::array<double, kStatistics> out;
  out[kHalves] = KendallTauB(s.half_a, s.half_b);
  out[kSplitHalf] = ForWholeSet(out[kHalves]);
  out[kCheckpoints] = s.earlier.empty() ? kNan : KendallTauB(s.earlier, whole);
  out[kMacs] = KendallTauB(whole, s.macs);
  out[kBlocks] = KendallTauB(whole, s.blocks);
  out[kBeyondCounts] = KendallTauB(Residual(s.half_a, s.macs, s.blocks), Residual(s.half_b, s.macs, s.blocks));
  return out;
}

RankCorrelation WithInterval(double tau, const Values& resampled) {
  Values known;
  for (const double value : resampled) {
    if (!std::isnan(value)) known.push_back(value);
  }
  if (std::isnan(tau) || known.empty()) return {kNan, kNan, kNan};
  return {tau, Quantile(known, 0.025), Quantile(known, 0.975)};
}

void Check(const RankingSample& s) {
  const std::size_t n = s.half_a.size();
  if (s.half_b.size() != n || s.blocks.size() != n || s.macs.size() != n ||
      (!s.earlier.empty() && s.earlier.size() != n)) {
    ThrowInput(StrCat("the lists of ", n, " judged architectures have different lengths"));
  }
  if (n < kLeastArchitectures) {
    ThrowInput(StrCat(n, " architectures are too few to judge a ranking; give at least ", kLeastArchitectures));
  }
}

std::string Describe(const RankCorrelation& c) {
  return StrCat(Fixed(c.tau, 2), " (95 %: ", Fixed(c.low, 2), " to ", Fixed(c.high, 2), ")");
}

std::string Sentence(const RankingConfidence& c) {
  if (std::isnan(c.halves.tau)) {
    return StrCat("too small: all ", c.architectures, " architectures have the same accuracy; train longer");
  }
  const std::string figures =
      StrCat("split-half tau ", Describe(c.split_half), " over ", c.architectures, " random architectures, against ",
             Fixed(c.macs.tau, 2), " for MACs and ", Fixed(c.blocks.tau, 2), " for blocks");
  const std::string beyond =
      c.beyond_counts.low > 0 ? "the ranking says more than these counts" : "no more than these counts is shown";
  if (c.verdict == RankingVerdict::kEnough) return StrCat("enough: ", figures, "; ", beyond);
  const std::string remedy =
      c.split_half.tau < kEnoughTau ? "take more validation images or train longer" : "judge more architectures";
  return StrCat("too small: ", figures, "; ", beyond, "; ", remedy);
}

Json ToJson(const RankCorrelation& c) {
  if (std::isnan(c.tau)) return nullptr;
  return Json{{"tau", c.tau}, {"interval", {c.low, c.high}}};
}

}  // namespace

RankingConfidence JudgeRanking(const RankingSample& sample, std::uint64_t seed) {
  Check(sample);
  const std::size_t n = sample.half_a.size();
  const auto point = Statistics(sample);
  std::array<Values, kStatistics> resampled;
  for (int i = 0; i < kResamples; ++i) {
    CounterRng rng(MixSeed(seed, kSalt), static_cast<std::uint64_t>(i));
    std::vector<std::size_t> rows(n);
    for (std::size_t& row : rows) row = rng.Below(n);
    const auto values = Statistics(Pick(sample, rows));
    for (int s = 0; s < kStatistics; ++s) resampled[s].push_back(values[s]);
  }
  RankingConfidence out;
  out.architectures = static_cast<int>(n);
  out.halves = WithInterval(point[kHalves], resampled[kHalves]);
  out.split_half = WithInterval(point[kSplitHalf], resampled[kSplitHalf]);
  out.checkpoints = WithInterval(point[kCheckpoints], resampled[kCheckpoints]);
  out.macs = WithInterval(point[kMacs], resampled[kMacs]);
  out.blocks = WithInterval(point[kBlocks], resampled[kBlocks]);
  out.beyond_counts = WithInterval(point[kBeyondCounts], resampled[kBeyondCounts]);
  out.verdict = out.split_half.low >= kEnoughTau ? RankingVerdict::kEnough : RankingVerdict::kTooSmall;
  out.text = Sentence(out);
  return out;
}

Json ToJson(const RankingConfidence& c) {
  return Json{{"architectures", c.architectures},
              {"verdict", c.verdict == RankingVerdict::kEnough ? "enough" : "too small"},
              {"split_half", ToJson(c.split_half)},
              {"halves", ToJson(c.halves)},
              {"checkpoints", ToJson(c.checkpoints)},
              {"macs", ToJson(c.macs)},
              {"blocks", ToJson(c.blocks)},
              {"beyond_counts", ToJson(c.beyond_counts)},
              {"text", c.text}};
}

}  // namespace nas
