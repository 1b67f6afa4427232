// SPDX-License-Identifier: Apache-2.0
// Every number of proxyless.md §12 and those of §16 that need no file.
#include <cmath>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "nas/space/search_space.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

SearchSpace LoadSpace(const std::string& name, const SpaceOptions& options = {}) {
  return SearchSpace::Load(name, options, {NAS_SOURCE_DIR "/search_spaces"});
}

Architecture Everywhere(const SearchSpace& space, int op) { return space.Build(Choice(space.edges().size(), op)); }

int SkippableEdges(const SearchSpace& space) {
  int count = 0;
  for (const Edge& edge : space.edges()) count += edge.skip_op >= 0 ? 1 : 0;
  return count;
}

struct SpaceRow {
  const char* name;
  double width_mult;
  int edges, skippable, alphas;
  std::uint64_t architectures;
  double log10;
  std::int64_t macs_min, macs_max, params_min, params_max, supernet;
};

}  // namespace

TEST_CASE("shipped spaces have the published sizes") {
  const SpaceRow rows[] = {
      {"proxyless-mobile", 1.0, 21, 15, 141, 221502229807900608u, 17.345, 102528896, 606590720, 2154984, 5103336,
       16034168},
      {"cifar-mbconv", 1.0, 11, 6, 72, 914838624u, 8.961, 12551680, 73590784, 217954, 742522, 2720186},
      {"tiny", 1.0, 5, 3, 33, 12348u, 4.092, 242560, 2108800, 6058, 41362, 136010},
      {"macro-cifar", 1.0, 8, 5, 24, 6561u, 3.817, 7713280, 105660928, 387882, 2932586, 4221386},
      {"proxyless-mobile", 0.35, 21, 16, 142, 258419268109217376u, 17.412, 25569888, 130812480, 1479432, 1962568,
       3481936},
      {"proxyless-mobile", 0.50, 21, 15, 141, 221502229807900608u, 17.345, 38249520, 239263200, 1611088, 2505256,
       5544112},
      {"proxyless-mobile", 0.75, 21, 15, 141, 221502229807900608u, 17.345, 76547528, 458953328, 1860840, 3673608,
       10180152},
      {"proxyless-mobile", 1.30, 21, 15, 141, 221502229807900608u, 17.345, 175986792, 1004908032, 3138360, 7942056,
       26153760},
      {"proxyless-mobile", 1.40, 21, 15, 141, 221502229807900608u, 17.345, 196643048, 1088318000, 3507296, 9075944,
       30326912},
  };
  for (const SpaceRow& row : rows) {
    CAPTURE(row.name, row.width_mult);
    const SearchSpace space = LoadSpace(row.name, {.width_mult = row.width_mult});
    CHECK(space.edges().size() == static_cast<std::size_t>(row.edges));
    CHECK(SkippableEdges(space) == row.skippable);
    CHECK(space.alphas() == row.alphas);
    std::uint64_t architectures = 1;
    for (const Edge& edge : space.edges()) architectures *= static_cast<std::uint64_t>(edge.size());
    CHECK(architectures == row.architectures);
    CHECK(space.log10_architectures() == Approx(row.log10).margin(5e-4));
    CHECK(space.macs_range().first.value == row.macs_min);
    CHECK(space.macs_range().second.value == row.macs_max);
    CHECK(space.params_range().first == row.params_min);
    CHECK(space.params_range().second == row.params_max);
    CHECK(space.supernet_params() == row.supernet);
  }
}

TEST_CASE("shipped spaces have the published widths at every width multiplier") {
  const std::pair<double, std::vector<int>> rows[] = {
      {0.35, {16, 8, 8, 16, 32, 32, 64, 112, 1280}},      {0.50, {16, 8, 16, 24, 40, 48, 96, 160, 1280}},
      {0.75, {24, 16, 24, 32, 64, 72, 144, 240, 1280}},   {1.00, {32, 16, 24, 40, 80, 96, 192, 320, 1280}},
      {1.30, {40, 24, 32, 56, 104, 128, 248, 416, 1664}}, {1.40, {48, 24, 32, 56, 112, 136, 272, 448, 1792}},
  };
  for (const auto& [width_mult, widths] : rows) {
    CAPTURE(width_mult);
    const SearchSpace space = LoadSpace("proxyless-mobile", {.width_mult = width_mult});
    const std::vector<Layer>& layers = space.base().layers;
    std::vector<int> found;
    for (const int layer : {0, 1, 2, 6, 10, 14, 18, 22, 23}) found.push_back(layers[layer].out_channels);
    CHECK(found == widths);
  }
}

TEST_CASE("networks of the shipped spaces have the published counts") {
  const SearchSpace mobile = LoadSpace("proxyless-mobile");
  const SearchSpace cifar = LoadSpace("cifar-mbconv");
  const SearchSpace tiny = LoadSpace("tiny");
  const SearchSpace macro = LoadSpace("macro-cifar");
  const std::tuple<Architecture, std::int64_t, std::int64_t> rows[] = {
      {Everywhere(mobile, 0), 3191928, 257422208}, {Everywhere(mobile, 1), 4684776, 472620800},
      {Everywhere(mobile, 5), 5103336, 606590720}, {Everywhere(cifar, 0), 350938, 27414016},
      {Everywhere(cifar, 1), 611962, 53069824},    {Everywhere(tiny, 0), 13402, 587776},
      {Everywhere(tiny, 1), 24082, 1095040},       {Everywhere(macro, 0), 387882, 7713280},
      {Everywhere(macro, 1), 1588874, 53246464},   {Everywhere(macro, 2), 2932586, 105660928},
  };
  for (const auto& [architecture, params, macs] : rows) {
    CAPTURE(architecture.name);
    CHECK(CountParams(architecture) == params);
    CHECK(CountMacs(architecture).value == macs);
  }
}

TEST_CASE("maximum entropy of the shipped spaces") {
  const std::pair<const char*, double> rows[] = {
      {"proxyless-mobile", 39.939}, {"cifar-mbconv", 20.634}, {"tiny", 9.421}, {"macro-cifar", 8.789}};
  for (const auto& [name, nats] : rows) {
    double sum = 0;
    const SearchSpace space = LoadSpace(name);
    for (const Edge& edge : space.edges()) sum += std::log(edge.size());
    CHECK(sum == Approx(nats).margin(5e-4));
  }
}

TEST_CASE("shape-keeping identities of macro-cifar commute, which leaves 3,969 networks") {
  const SearchSpace space = LoadSpace("macro-cifar");
  std::set<std::string> networks;
  for (int n = 0; n < 6561; ++n) {
    Choice choice;
    for (int rest = n, e = 0; e < 8; ++e, rest /= 3) choice.push_back(rest % 3);
    std::string signature;
    for (std::size_t e = 0; e < 8; ++e) {
      if (choice[e] != space.edges()[e].skip_op) signature += static_cast<char>('0' + choice[e]);
      if (e == 1 || e == 4) signature += '|';
    }
    networks.insert(signature);
  }
  CHECK(networks.size() == 3969);
}

TEST_CASE("extremes of the MBConv spaces are Zero or k3e3, and k7e6") {
  for (const char* name : {"proxyless-mobile", "cifar-mbconv", "tiny"}) {
    const SearchSpace space = LoadSpace(name);
    Choice least;
    for (const Edge& edge : space.edges()) least.push_back(edge.skip_op >= 0 ? edge.skip_op : 0);
    CHECK(CountMacs(space.Build(least)) == space.macs_range().first);
    CHECK(CountMacs(Everywhere(space, 5)) == space.macs_range().second);
    CHECK(CountParams(space.Build(least)) == space.params_range().first);
    CHECK(CountParams(Everywhere(space, 5)) == space.params_range().second);
  }
}
