// SPDX-License-Identifier: Apache-2.0
#include "nas/search/evolution.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr int kTriesPerChild = 50;
constexpr int kTriesForUnseen = 2000;
constexpr std::uint64_t kSeedSalt = 0x65766f6c7665;
constexpr double kWorst = -std::numeric_limits<double>::max();

void Require(bool ok, const std::string& field, double value, const std::string& range) {
  if (!ok) ThrowUsage(StrCat("evolution ", field, " ", value, " must be ", range));
}

}  // namespace

void EvolutionOptions::Validate() const {
  Require(population >= 4, "population", population, "at least 4");
  Require(parent_share > 0 && parent_share < 1, "parent_share", parent_share, "above 0 and below 1");
  Require(mutation_share >= 0 && mutation_share + parent_share <= 1, "mutation_share", mutation_share,
          "at least 0 and, with parent_share, at most 1");
  Require(mutation_rate > 0 && mutation_rate <= 1, "mutation_rate", mutation_rate, "above 0 and at most 1");
}

EvolutionProposer::EvolutionProposer(const CostTable& table, std::optional<double> budget,
                                     const EvolutionOptions& options, std::uint64_t seed)
    : table_(table), budget_(budget), options_(options), seed_(MixSeed(seed, kSeedSalt)), sampler_(table, budget) {
  options_.Validate();
}

std::optional<Choice> EvolutionProposer::Ask() {
  if (!reissued_.empty()) {
    Choice again = std::move(reissued_.back());
    reissued_.pop_back();
    return again;
  }
  const int children = options_.population - static_cast<int>(parents_.size());
  if (asked_ == children) ThrowInternal("the generation is asked out; tell its results first");
  std::optional<Choice> child = Draw();
  if (!child) return std::nullopt;
  ++asked_;
  outstanding_.insert(*child);
  return child;
}

// A child that nobody has seen: bred, or drawn at random in generation 0 and where breeding only repeats itself.
std::optional<Choice> EvolutionProposer::Draw() {
  const int mutants = static_cast<int>(std::lround(options_.mutation_share * options_.population));
  for (int attempt = 0; attempt < kTriesPerChild && !parents_.empty(); ++attempt) {
    CounterRng rng(seed_, /*stream=*/++draws_);
    const Choice& mother = parents_[rng.Below(parents_.size())];
    const Choice& father = parents_[rng.Below(parents_.size())];
    Choice child = asked_ < mutants ? Mutant(mother, rng) : Crossover(mother, father, rng);
    if (!known_.contains(child) && !outstanding_.contains(child)) return child;
  }
  return Unseen();
}

std::optional<Choice> EvolutionProposer::Unseen() {
  CounterRng rng(seed_, /*stream=*/++draws_);
  for (int attempt = 0; attempt < kTriesForUnseen; ++attempt) {
    Choice child = sampler_.Sample(rng);
    if (!known_.contains(child) && !outstanding_.contains(child)) return child;
  }
  return std::nullopt;
}

Choice EvolutionProposer::Mutant(const Choice& parent, CounterRng& rng) const {
  Choice child = parent;
  for (std::size_t e = 0; e < child.size(); ++e) {
    if (rng.Uniform() < options_.mutation_rate) child[e] = static_cast<int>(rng.Below(table_.cost[e].size()));
  }
  Revert(&child, parent, rng);
  return child;
}

Choice EvolutionProposer::Crossover(const Choice& mother, const Choice& father, CounterRng& rng) const {
  Choice child = mother;
  for (std::size_t e = 0; e < child.size(); ++e) {
    if (rng.Uniform() < 0.5) child[e] = father[e];
  }
  Revert(&child, mother, rng);
  return child;
}

// Gives genes back to the parent, in random order, until the child meets the budget as its parent does.
void EvolutionProposer::Revert(Choice* child, const Choice& parent, CounterRng& rng) const {
  if (!budget_ || table_.Cost(*child) <= *budget_) return;
  for (const std::int64_t e : rng.Permutation(static_cast<std::int64_t>(child->size()))) {
    if ((*child)[e] == parent[e]) continue;
    (*child)[e] = parent[e];
    if (table_.Cost(*child) <= *budget_) return;
  }
}

void EvolutionProposer::Tell(const Choice& choice, double fitness) {
  if (outstanding_.erase(choice) == 0) ThrowInternal("a result for an architecture that is not out for judging");
  known_[choice] = std::isnan(fitness) ? kWorst : std::clamp(fitness, kWorst, -kWorst);
  population_.push_back(choice);
  const int children = options_.population - static_cast<int>(parents_.size());
  if (asked_ == children && outstanding_.empty()) NextGeneration();
}

bool EvolutionProposer::Fitter(const Choice& x, const Choice& y) const {
  const double fitness_x = known_.at(x);
  const double fitness_y = known_.at(y);
  if (fitness_x != fitness_y) return fitness_x > fitness_y;
  return std::tuple(table_.Cost(x), x) < std::tuple(table_.Cost(y), y);
}

void EvolutionProposer::NextGeneration() {
  const auto count = std::max<std::size_t>(1, std::lround(options_.parent_share * options_.population));
  std::sort(population_.begin(), population_.end(), [this](const Choice& x, const Choice& y) { return Fitter(x, y); });
  population_.resize(std::min(count, population_.size()));
  parents_ = population_;
  asked_ = 0;
  ++generation_;
}

std::optional<Choice> EvolutionProposer::Best() const {
  const Choice* best = nullptr;
  for (const auto& [choice, fitness] : known_) {
    if (best == nullptr || Fitter(choice, *best)) best = &choice;
  }
  return best == nullptr ? std::nullopt : std::optional<Choice>(*best);
}

Json EvolutionProposer::State() const {
  Json known = Json::array();
  for (const auto& [choice, fitness] : known_) known.push_back(Json::array({choice, fitness}));
  return Json{{"known", known},  {"outstanding", outstanding_}, {"parents", parents_}, {"population", population_},
              {"asked", asked_}, {"generation", generation_},   {"draws", draws_}};
}

void EvolutionProposer::LoadState(const Json& state) {
  try {
    std::map<Choice, double> known;
    for (const auto& item : state.at("known")) known[item.at(0).get<Choice>()] = item.at(1).get<double>();
    const auto outstanding = state.at("outstanding").get<std::set<Choice>>();
    const auto parents = state.at("parents").get<std::vector<Choice>>();
    const auto population = state.at("population").get<std::vector<Choice>>();
    const int asked = state.at("asked").get<int>();
    const int generation = state.at("generation").get<int>();
    const auto draws = state.at("draws").get<std::uint64_t>();
    known_ = std::move(known);
    outstanding_ = outstanding;
    reissued_.assign(outstanding.rbegin(), outstanding.rend());
    parents_ = parents;
    population_ = population;
    asked_ = asked;
    generation_ = generation;
    draws_ = draws;
  } catch (const std::exception& error) {
    ThrowInput(StrCat("the state of the evolutionary search cannot be read: ", error.what()));
  }
}

}  // namespace nas
