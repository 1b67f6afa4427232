// SPDX-License-Identifier: Apache-2.0
#include "bench_predictor.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/latency/compiled_table.h"
#include "nas/latency/features.h"
#include "nas/latency/fit.h"
#include "nas/latency/latency_model.h"
#include "nas/space/search_space.h"
#include "target_flags.h"

namespace nas::cli {
namespace {

constexpr int kRounds = 5;
constexpr int kNetworks = 4096;
constexpr int kPassesPerRound = 50;
constexpr int kRows = 500;

// Keys of a grid wider than any one space.
std::vector<BlockKey> Grid(CounterRng& rng) {
  const auto one_of = [&](std::initializer_list<int> values) {
    return *(values.begin() + rng.Below(static_cast<std::uint64_t>(values.size())));
  };
  std::set<BlockKey> keys;
  while (keys.size() < kRows) {
    BlockKey key;
    key.h = one_of({112, 96, 80, 56, 48, 40, 28, 24, 20, 14, 12, 10, 7});
    key.s = one_of({1, 1, 2});
    key.hout = (key.h - 1) / key.s + 1;
    key.cin = one_of({16, 24, 32, 40, 64, 96, 128, 192});
    key.cout = key.s == 1 ? one_of({key.cin, key.cin, 48, 160}) : one_of({24, 40, 80, 112, 256});
    key.mid = key.cin * one_of({3, 4, 6});
    key.k = one_of({3, 5, 7});
    key.skip = key.s == 1 && key.cin == key.cout;
    key.se = one_of({0, 0, 1}) == 1;
    key.act = one_of({0, 1}) == 1 ? BlockAct::kHSwish : BlockAct::kRelu6;
    keys.insert(key);
  }
  return {keys.begin(), keys.end()};
}

// A device with costs per term of φ, and what no linear model knows.
double MadeUpMs(const BlockKey& key, CounterRng& rng) {
  const PhiVector phi = Phi(key);
  double ms = 0.02;
  for (int j = 1; j < kPhiSize; ++j) ms += (0.02 + 0.01 * (j % 4)) * phi[j];
  return ms * std::exp(0.08 * std::sin(std::log(key.h * static_cast<double>(key.cin))) + 0.02 * rng.Uniform());
}

}  // namespace

std::vector<double> MeasureNetworksPerSecond(const Session& session) {
  const SearchSpace space = SearchSpace::Load("proxyless-mobile", {}, session.space_dirs);
  const LatencyModel model(LoadTargetTable("pixel1-tflite-cpu", session));
  const CompiledTable table(model.Compile(space));
  CounterRng rng(session.seed);
  std::vector<std::uint8_t> codes;
  for (int i = 0; i < kNetworks; ++i) {
    for (const int op : space.Sample(rng)) codes.push_back(static_cast<std::uint8_t>(op));
  }
  std::vector<double> totals(kNetworks), rates;
  double sum = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Stopwatch watch;
    for (int pass = 0; pass < kPassesPerRound; ++pass) {
      table.Predict(codes, totals);
      sum += totals[static_cast<std::size_t>(pass)];
    }
    rates.push_back(static_cast<double>(kPassesPerRound) * kNetworks / watch.Seconds());
  }
  if (!(sum > 0)) ThrowInternal("the predictor's bench has predicted nothing");
  return rates;
}

std::vector<double> MeasureFit(const Session& session) {
  CounterRng rng(session.seed);
  LatencyTable table;
  table.name = "bench";
  table.identity.device_class = "cpu";
  for (const BlockKey& key : Grid(rng)) {
    LatencyRow row;
    row.key = ToString(key);
    row.stats.median = row.stats.mean = MadeUpMs(key, rng);
    row.stats.std = 0.01 * row.stats.mean.value_or(0);
    row.stats.n = 50;
    table.rows.push_back(std::move(row));
  }
  std::vector<double> ms;
  for (int round = 0; round < kRounds; ++round) {
    LatencyTable fitted = table;
    const Stopwatch watch;
    FitTable(fitted);
    ms.push_back(1e3 * watch.Seconds());
  }
  return ms;
}

}  // namespace nas::cli
