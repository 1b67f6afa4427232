// SPDX-License-Identifier: Apache-2.0
// Published sums of the Pixel 1 table on the default space (latency.md §13, proxyless.md §16), to 1e-6 ms.
#include "latency_data.h"
#include "nas/latency/latency_model.h"

using namespace nas;
using namespace nas::testing;

namespace {

SearchSpace DefaultSpace() { return SearchSpace::Load("proxyless-mobile", {}, {NAS_SOURCE_DIR "/search_spaces"}); }

Choice Everywhere(const SearchSpace& space, int op) { return Choice(space.edges().size(), op); }

}  // namespace

TEST_CASE("the Pixel 1 table on the default space") {
  const std::string folder = LatencyData();
  if (folder.empty()) return;
  const LatencyTable table = TableOf(ImportFile(folder + "/pixel1_proxylessnas_lut.yaml", "proxyless-yaml"), "pixel1");
  const SearchSpace space = DefaultSpace();
  const CostTable costs = LatencyModel(table, BlockSource::kMeasuredOnly).Compile(space);
  CHECK(costs.fixed == Approx(11.364156).margin(1e-6));
  std::vector<std::vector<double>> uniform;
  for (const auto& edge : space.edges()) uniform.emplace_back(edge.size(), 1.0 / edge.size());
  CHECK(costs.Expected(uniform) == Approx(113.988129).margin(1e-6));
  CHECK(costs.Cost(Everywhere(space, 0)) == Approx(76.048099).margin(1e-6));
  CHECK(costs.Cost(Everywhere(space, 1)) == Approx(136.466266).margin(1e-6));
  CHECK(costs.Cost(Everywhere(space, 5)) == Approx(191.029871).margin(1e-6));
  CHECK(costs.MaxCost() == Approx(191.029871).margin(1e-6));
  CHECK(costs.MinCost() == Approx(29.608776).margin(1e-6));
  Choice sparse;
  for (const auto& edge : space.edges()) sparse.push_back(std::max(edge.skip_op, 0));
  CHECK(costs.Cost(sparse) == Approx(29.608776).margin(1e-6));
  // Nothing of the space lies outside what was sampled.
  CHECK(LatencyModel(table).Compile(space).extrapolated.empty());
}

TEST_CASE("compiled costs agree with predictions of built networks") {
  const std::string folder = LatencyData();
  if (folder.empty()) return;
  const LatencyModel model(TableOf(ImportFile(folder + "/note10_blocks.csv", "csv"), "note10"));
  const SearchSpace space = DefaultSpace();
  const CostTable costs = model.Compile(space);
  CounterRng rng(1);
  for (int i = 0; i < 10; ++i) {
    const Choice choice = space.Sample(rng);
    CHECK(costs.Cost(choice) == Approx(model.PredictNetwork(space.Build(choice)).ms).epsilon(1e-12));
  }
}
