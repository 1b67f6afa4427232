// SPDX-License-Identifier: Apache-2.0
#include "nas/report/explanation.h"

#include <cmath>

#include "core/expect_error.h"
#include "run_fixture.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::test::FakeRun;
using nas::test::SpaceDirs;
using nas::test::WriteRun;

namespace {

Explanation ExplainFake(const FakeRun& fake, std::size_t target = 0) {
  const TempDir dir;
  WriteRun(dir.path(), fake);
  return Explain(ReadRun(dir.path(), SpaceDirs()), target);
}

template <typename Action>
bool Refused(const Action& action, const std::string& part) {
  const std::string message = testing::MessageOf(ErrorKind::kInput, action);
  INFO(message);
  return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("probabilities of an edge sum to 1 over what was not dropped", "[report]") {
  const Explanation x = ExplainFake({});
  for (const EdgeExplanation& edge : x.edges) {
    double sum = 0;
    for (const CandidateView& c : edge.candidates) {
      if (c.pruned_at >= 0) REQUIRE(c.p == 0);
      sum += c.p;
    }
    REQUIRE(sum == Approx(1));
  }
  REQUIRE(x.edges[0].candidates[5].pruned_at == 3);
  // The oracle: softmax of the fixture's alphas.
  const auto alpha = [](int op) { return 0.3 * 6 * std::cos(2.0 + 2.0 * op); };
  double total = 0;
  for (int op = 0; op < static_cast<int>(x.edges[1].candidates.size()); ++op) total += std::exp(alpha(op));
  REQUIRE(x.edges[1].candidates[2].p == Approx(std::exp(alpha(2)) / total));
}

TEST_CASE("the price of switching is what the network's cost changes by", "[report]") {
  const SearchSpace space = SearchSpace::Load("tiny", {}, SpaceDirs());
  const Explanation x = ExplainFake({});
  const Choice choice = space.Decode(x.code);
  REQUIRE(x.code == "00000");
  for (std::size_t e = 0; e < x.edges.size(); ++e) {
    const EdgeExplanation& edge = x.edges[e];
    Choice other = choice;
    other[e] = edge.runner_up;
    const auto before = static_cast<double>(CountMacs(space.Build(choice)).value);
    const auto after = static_cast<double>(CountMacs(space.Build(other)).value);
    REQUIRE(edge.delta_cost == Approx(after - before));
    REQUIRE(edge.fits == (after <= 1000000));
    REQUIRE(edge.candidates[edge.runner_up].cost - edge.candidates[edge.selected].cost == Approx(edge.delta_cost));
    REQUIRE(edge.delta_log_p == Approx(edge.candidates[edge.runner_up].log_p - edge.candidates[edge.selected].log_p));
    const DecidedBy otherwise = x.argmax_cost <= 1000000 ? DecidedBy::kUnused : DecidedBy::kConstraint;
    REQUIRE(edge.reason == (edge.selected == edge.argmax ? DecidedBy::kProbability : otherwise));
    REQUIRE(edge.alpha.size() == 6);
  }
}

TEST_CASE("a launch-bound or affine table prices candidates by the whole network", "[report]") {
  const Explanation x = ExplainFake({}, 1);
  REQUIRE(x.unit == CostUnit::kMillis);
  double sum = 0;
  for (const EdgeExplanation& edge : x.edges) sum += edge.candidates[edge.selected].cost;
  REQUIRE(sum > 0);
  REQUIRE(sum < x.cost);  // fixed layers cost something, too
}

TEST_CASE("an unfinished run says so, and shows the network of its last epoch", "[report]") {
  FakeRun fake;
  fake.epochs = 4;
  fake.finished = false;
  const Explanation x = ExplainFake(fake);
  REQUIRE_FALSE(x.finished);
  REQUIRE(x.source == "validation");
  REQUIRE(x.note.find("unfinished: 4 of 6 epochs") != std::string::npos);
  REQUIRE(ToText(x, false).find("unfinished") != std::string::npos);
  REQUIRE(ToJson(x)["finished"] == false);
  // The second target has no validation: the most probable network stands in.
  REQUIRE(ExplainFake(fake, 1).source == "argmax");
}

TEST_CASE("strategies without alphas do not claim that probabilities decided", "[report]") {
  FakeRun fake;
  fake.strategy = "evolution";
  const Explanation x = ExplainFake(fake);
  REQUIRE(x.edges[0].reason == DecidedBy::kOther);
  REQUIRE_FALSE(x.note.empty());
}

TEST_CASE("a run without an epoch, a folder that is none, an unknown target", "[report]") {
  const TempDir dir;
  FakeRun fake;
  fake.epochs = 0;
  fake.finished = false;
  WriteRun(dir.path(), fake);
  const RunRecord run = ReadRun(dir.path(), SpaceDirs());
  REQUIRE(Refused([&] { Explain(run, 0); }, "has not finished an epoch"));
  REQUIRE(Refused([&] { FindTarget(run, "mac"); }, "macs=40%"));
  REQUIRE(FindTarget(run, "note10-50pct") == 1);
  REQUIRE(FindTarget(run, "macs") == 0);
  const TempDir empty;
  REQUIRE(Refused([&] { ReadRun(empty.path(), SpaceDirs()); }, "is not the folder of a run"));
}
