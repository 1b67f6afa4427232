// SPDX-License-Identifier: Apache-2.0
#include "nas/search/arch_parameters.h"

#include <cmath>
#include <numeric>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/stats.h"
#include "search_host_test.h"

namespace nas {
namespace {

using test::RandomAlphas;
using test::Space;

double Sum(const std::vector<double>& row) { return std::accumulate(row.begin(), row.end(), 0.0); }

// A smooth function of all gates, with products between edges as the loss of a network has them:
// F(g) = Σ_e sin(s_e) + s_e·s_(e−1)², s_e = Σ_i c_ei·g_ei.
class Loss {
 public:
  Loss(const SearchSpace& space, CounterRng& rng) : weight_(RandomAlphas(space, rng, 1)) {}

  double operator()(const Matrix& gates) const {
    const auto s = Outputs(gates);
    double loss = 0;
    for (std::size_t e = 0; e < s.size(); ++e) loss += std::sin(s[e]) + (e > 0 ? s[e] * s[e - 1] * s[e - 1] : 0);
    return loss;
  }

  Matrix Gradient(const Matrix& gates) const {
    const auto s = Outputs(gates);
    Matrix gradient = weight_;
    for (std::size_t e = 0; e < s.size(); ++e) {
      double slope = std::cos(s[e]);
      if (e > 0) slope += s[e - 1] * s[e - 1];
      if (e + 1 < s.size()) slope += 2 * s[e] * s[e + 1];
      for (double& g : gradient[e]) g *= slope;
    }
    return gradient;
  }

 private:
  std::vector<double> Outputs(const Matrix& gates) const {
    std::vector<double> s;
    for (std::size_t e = 0; e < gates.size(); ++e) {
      s.push_back(std::inner_product(gates[e].begin(), gates[e].end(), weight_[e].begin(), 0.0));
    }
    return s;
  }

  Matrix weight_;
};

TEST_CASE("Alphas start near zero, from the seed", "[alphas]") {
  const SearchSpace space = Space("proxyless-mobile");
  const ArchParameters alphas(space, 1);
  std::vector<double> all;
  for (const auto& row : alphas.alpha()) all.insert(all.end(), row.begin(), row.end());
  CHECK(all.size() == 141);
  CHECK(StdDev(all) == Approx(1e-3).epsilon(0.25));
  CHECK(std::abs(Mean(all)) < 3e-4);
  CHECK(ArchParameters(space, 1).alpha() == alphas.alpha());
  CHECK(ArchParameters(space, 2).alpha() != alphas.alpha());
  CHECK(alphas.Entropy() == Approx(39.939).margin(5e-4));
}

TEST_CASE("Probabilities are a softmax over what is left", "[alphas]") {
  ArchParameters alphas(Matrix{{1, 2, 3}, {-800, 0, 800}});
  const double z = std::exp(-2) + std::exp(-1) + 1;
  CHECK(alphas.Probabilities()[0][2] == Approx(1 / z));
  CHECK(alphas.LogProbabilities()[1][0] == Approx(-1600));
  CHECK(alphas.Probabilities()[1][0] > 0);  // not to be taken for pruned
  CHECK(alphas.Argmax() == Choice{2, 2});

  alphas.Prune(0, 2);
  const Matrix p = alphas.Probabilities();
  CHECK(Sum(p[0]) == Approx(1).epsilon(1e-12));
  CHECK(p[0][2] == 0);
  CHECK(alphas.LogProbabilities()[0][2] == test::kGone);
  CHECK(p[0][1] / p[0][0] == Approx(std::exp(1)));
  CHECK(alphas.Argmax() == Choice{1, 2});
  CHECK(alphas.left(0) == 2);
  alphas.Prune(0, 0);
  CHECK(alphas.Probabilities()[0][1] == 1);
  CHECK_THROWS_AS(alphas.Prune(0, 1), Error);
  CHECK(ArchParameters(Matrix{{0.5, 0.5}}).Argmax() == Choice{0});
}

TEST_CASE("Gradient on alphas equals finite differences through the gates", "[alphas][oracle1]") {
  CounterRng rng(5);
  const SearchSpace space = Space("tiny");
  const Loss loss(space, rng);
  const Matrix start = RandomAlphas(space, rng, 0.7);
  ArchParameters alphas(start);
  const bool masked = GENERATE(false, true);
  if (masked) alphas.Prune(1, 2);
  const Matrix p0 = alphas.Probabilities();
  Matrix gates = p0;
  const Choice path = PathSampler(9).Draw(p0, kArchStream, 0);
  for (std::size_t e = 0; e < gates.size(); ++e) {
    for (std::size_t i = 0; i < gates[e].size(); ++i) gates[e][i] = static_cast<int>(i) == path[e] ? 1 : 0;
  }
  const Matrix gradient = alphas.GateToAlpha(loss.Gradient(gates));

  const auto at = [&](std::size_t edge, std::size_t op, double shift) {
    Matrix moved = start;
    moved[edge][op] += shift;
    ArchParameters there(moved);
    if (masked) there.Prune(1, 2);
    Matrix g = gates;
    const Matrix p = there.Probabilities();
    for (std::size_t e = 0; e < g.size(); ++e) {
      for (std::size_t i = 0; i < g[e].size(); ++i) g[e][i] += p[e][i] - p0[e][i];
    }
    return loss(g);
  };
  for (std::size_t e = 0; e < start.size(); ++e) {
    for (std::size_t i = 0; i < start[e].size(); ++i) {
      const double difference = (at(e, i, 1e-5) - at(e, i, -1e-5)) / 2e-5;
      CHECK(gradient[e][i] == Approx(difference).epsilon(1e-6).margin(1e-9));
    }
  }
}

TEST_CASE("Gradient on a pair equals finite differences with q", "[alphas][oracle1]") {
  CounterRng rng(6);
  const SearchSpace space = Space("tiny");
  const Loss loss(space, rng);
  const Matrix start = RandomAlphas(space, rng, 0.7);
  const ArchParameters alphas(start);
  const auto sample = PathSampler(9).DrawPairs(alphas.Probabilities(), kArchStream, 0);
  const auto q_of = [&](const Matrix& alpha) {
    Matrix q = alpha;
    for (std::size_t e = 0; e < alpha.size(); ++e) {
      std::fill(q[e].begin(), q[e].end(), 0.0);
      const double active = std::exp(alpha[e][sample[e].active]);
      const double inactive = std::exp(alpha[e][sample[e].inactive]);
      q[e][sample[e].active] = active / (active + inactive);
      q[e][sample[e].inactive] = inactive / (active + inactive);
    }
    return q;
  };
  const Matrix q0 = q_of(start);
  const auto gates_at = [&](const Matrix& alpha) {
    Matrix g = q_of(alpha);
    for (std::size_t e = 0; e < g.size(); ++e) {
      for (std::size_t i = 0; i < g[e].size(); ++i) g[e][i] -= q0[e][i];
      g[e][sample[e].active] += 1;
    }
    return g;
  };
  const Matrix gradient = alphas.GateToAlphaOnPairs(loss.Gradient(gates_at(start)), sample);
  for (std::size_t e = 0; e < start.size(); ++e) {
    for (std::size_t i = 0; i < start[e].size(); ++i) {
      Matrix up = start, down = start;
      up[e][i] += 1e-5;
      down[e][i] -= 1e-5;
      const double difference = (loss(gates_at(up)) - loss(gates_at(down))) / 2e-5;
      CHECK(gradient[e][i] == Approx(difference).epsilon(1e-6).margin(1e-9));
    }
  }
}

TEST_CASE("Zero's alpha moves by the coupling alone", "[alphas][oracle10]") {
  CounterRng rng(7);
  const SearchSpace space = Space("tiny");
  const ArchParameters alphas(RandomAlphas(space, rng, 1));
  Matrix gates = RandomAlphas(space, rng, 1);
  for (std::size_t e = 0; e < gates.size(); ++e) {
    if (space.edges()[e].skip_op >= 0) gates[e][space.edges()[e].skip_op] = 0;  // Zero's output is 0
  }
  const Matrix p = alphas.Probabilities();
  const Matrix gradient = alphas.GateToAlpha(gates);
  int skippable = 0;
  for (std::size_t e = 0; e < gates.size(); ++e) {
    const int zero = space.edges()[e].skip_op;
    if (zero < 0) continue;
    ++skippable;
    const double mean = std::inner_product(p[e].begin(), p[e].end(), gates[e].begin(), 0.0);
    CHECK(gradient[e][zero] == Approx(-p[e][zero] * mean));
  }
  CHECK(skippable == 3);
}

TEST_CASE("Adam step is the textbook's with beta1 = 0", "[alphas]") {
  ArchParameters alphas(Matrix{{0.1, 0.2, 0.3}});
  std::vector<double> alpha{0.1, 0.2, 0.3};
  std::vector<double> v(3, 0);
  CounterRng rng(8);
  for (int t = 1; t <= 50; ++t) {
    Matrix gradient{{rng.Normal(), 0, t % 7 == 0 ? 100 * rng.Normal() : 0}};
    alphas.AdamStep(gradient, 0.01);
    for (int i = 0; i < 3; ++i) {
      v[i] = 0.999 * v[i] + 0.001 * gradient[0][i] * gradient[0][i];
      alpha[i] -= 0.01 * gradient[0][i] / (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
      CHECK(alphas.alpha()[0][i] == Approx(alpha[i]).epsilon(1e-10));
    }
    CHECK(alphas.alpha()[0][1] == 0.2);  // no gradient, no step: not a bit
  }
}

TEST_CASE("Rescale keeps unsampled probabilities and the pair's mass", "[alphas][oracle2]") {
  CounterRng rng(9);
  const SearchSpace space = Space("tiny");
  ArchParameters alphas(RandomAlphas(space, rng, 0.5));
  const PathSampler sampler(4);
  for (std::uint64_t step = 0; step < 300; ++step) {
    const Matrix before = alphas.Probabilities();
    const Matrix alpha_before = alphas.alpha();
    const auto sample = sampler.DrawPairs(before, kArchStream, step);
    const Matrix gradient = alphas.GateToAlphaOnPairs(RandomAlphas(space, rng, 1), sample);
    alphas.AdamStepOnPairs(gradient, sample, 0.05);
    const Matrix after = alphas.Probabilities();
    for (std::size_t e = 0; e < before.size(); ++e) {
      const auto [active, inactive] = sample[e];
      for (int i = 0; i < static_cast<int>(before[e].size()); ++i) {
        if (i == active || i == inactive) continue;
        REQUIRE(std::abs(after[e][i] - before[e][i]) < 1e-12);
        REQUIRE(alphas.alpha()[e][i] == alpha_before[e][i]);
      }
      const double risen = after[e][active] - before[e][active];
      const double fallen = after[e][inactive] - before[e][inactive];
      REQUIRE(std::abs(risen + fallen) < 1e-12);
      REQUIRE(risen * fallen < 0);
      REQUIRE((risen > 0) == (gradient[e][active] < 0));
    }
  }
}

TEST_CASE("Pruned and single ops take no part in steps", "[alphas]") {
  ArchParameters alphas(Matrix{{0.1, 0.2, 0.3}, {1, 2}});
  alphas.Prune(0, 1);
  alphas.Prune(1, 0);
  const Matrix before = alphas.alpha();
  const std::vector<EdgeSample> sample{{0, 2}, {1, -1}};
  const Matrix gradient = alphas.GateToAlphaOnPairs({{1, 5, -1}, {7, 7}}, sample);
  CHECK(gradient[1] == std::vector<double>{0, 0});
  alphas.AdamStepOnPairs(gradient, sample, 0.1);
  CHECK(alphas.alpha()[0][1] == before[0][1]);
  CHECK(alphas.alpha()[1] == before[1]);
  CHECK(alphas.alpha()[0][0] != before[0][0]);
  alphas.AdamStep({{1, 1, 1}, {1, 1}}, 0.1);
  CHECK(alphas.alpha()[0][1] == before[0][1]);
  CHECK(alphas.alpha()[1][0] == before[1][0]);
}

TEST_CASE("A gradient that is no number ends the search by name", "[alphas]") {
  ArchParameters alphas(Matrix{{0.1, 0.2}});
  const Json before = alphas.State();
  try {
    alphas.AdamStep({{0, std::nan("")}}, 0.1);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kTraining);
    CHECK(std::string(error.what()).find("diverged at architecture update 1") != std::string::npos);
  }
  CHECK(alphas.State() == before);
}

TEST_CASE("A saved state goes on bit for bit", "[alphas]") {
  CounterRng rng(10);
  const SearchSpace space = Space("tiny");
  ArchParameters alphas(space, 3);
  for (int i = 0; i < 20; ++i) alphas.AdamStep(RandomAlphas(space, rng, 1), 0.02);
  alphas.Prune(0, 3);
  const std::string text = alphas.State().dump();
  ArchParameters restored(space, 99);
  restored.LoadState(Json::parse(text));
  CHECK(restored.pruned() == alphas.pruned());
  for (int i = 0; i < 20; ++i) {
    const Matrix gradient = RandomAlphas(space, rng, 1);
    alphas.AdamStep(gradient, 0.02);
    restored.AdamStep(gradient, 0.02);
  }
  CHECK(restored.alpha() == alphas.alpha());
  CHECK(restored.State() == alphas.State());

  ArchParameters other(Space("macro-cifar"), 0);
  CHECK_THROWS_AS(other.LoadState(Json::parse(text)), Error);
  CHECK_THROWS_AS(restored.LoadState(Json::object()), Error);
}

TEST_CASE("A step for one target leaves the others alone", "[alphas][oracle14]") {
  CounterRng rng(11);
  const SearchSpace space = Space("tiny");
  std::vector<ArchParameters> targets;
  for (std::uint64_t t = 0; t < 3; ++t) targets.emplace_back(space, t);
  const Json first = targets[0].State();
  const Json last = targets[2].State();
  for (int i = 0; i < 5; ++i) targets[1].AdamStep(RandomAlphas(space, rng, 1), 0.02);
  CHECK(targets[0].State() == first);
  CHECK(targets[2].State() == last);
}

}  // namespace
}  // namespace nas
