// SPDX-License-Identifier: Apache-2.0
#include "nas/space/search_space.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/space/op_catalogue.h"

namespace nas {
namespace {

constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";

/// Equal as networks go: the name and the dropout rate, which training sets, do not count.
bool SameLayer(Layer a, const Layer& b) {
  a.name = b.name;
  a.dropout = b.dropout;
  return a == b;
}

}  // namespace

std::vector<std::string> SearchSpace::List(const std::vector<std::string>& search_path) {
  std::vector<std::string> names;
  for (const std::string& folder : search_path) {
    std::error_code ignored;  // a folder that is not there holds no spaces
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

SearchSpace SearchSpace::Load(const std::string& name_or_file, const SpaceOptions& options,
                              const std::vector<std::string>& search_path) {
  if (name_or_file.find('/') != std::string::npos || EndsWith(name_or_file, ".json")) {
    return FromJson(JsonDocument::Load(name_or_file), options);
  }
  for (const std::string& folder : search_path) {
    const std::filesystem::path file = std::filesystem::path(folder) / (name_or_file + ".json");
    if (std::filesystem::exists(file)) return FromJson(JsonDocument::Load(file.string()), options);
  }
  const std::vector<std::string> known = List(search_path);
  ThrowInput(
      StrCat("search space \"", name_or_file, "\" is not known",
             known.empty() ? StrCat("; no spaces are in ", Join(search_path, ", ")) : DidYouMean(name_or_file, known)));
}

bool SearchSpace::IsSearched(int layer) const {
  return std::any_of(edges_.begin(), edges_.end(), [layer](const Edge& edge) { return edge.layer == layer; });
}

int SearchSpace::alphas() const {
  int sum = 0;
  for (const Edge& edge : edges_) sum += edge.size();
  return sum;
}

double SearchSpace::log10_architectures() const {
  double sum = 0;
  for (const Edge& edge : edges_) sum += std::log10(edge.size());
  return sum;
}

std::int64_t SearchSpace::params(int edge, int op) const {
  const Layer& layer = edges_.at(edge).candidates.at(op);
  return FindOp(layer.op).Params(layer);
}

Macs SearchSpace::macs(int edge, int op) const {
  const Layer& layer = edges_.at(edge).candidates.at(op);
  return FindOp(layer.op).CountMacs(layer, edges_[edge].in);
}

std::int64_t SearchSpace::fixed_params() const {
  std::int64_t sum = CountParams(base_);
  for (std::size_t e = 0; e < edges_.size(); ++e) sum -= params(static_cast<int>(e), 0);
  return sum;
}

Macs SearchSpace::fixed_macs() const {
  Macs sum = CountMacs(base_);
  for (std::size_t e = 0; e < edges_.size(); ++e) sum = sum - macs(static_cast<int>(e), 0);
  return sum;
}

std::int64_t SearchSpace::supernet_params() const {
  std::int64_t sum = fixed_params();
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    for (int op = 0; op < edges_[e].size(); ++op) sum += params(static_cast<int>(e), op);
  }
  return sum;
}

std::pair<std::int64_t, std::int64_t> SearchSpace::params_range() const {
  std::pair<std::int64_t, std::int64_t> range = {fixed_params(), fixed_params()};
  for (int e = 0; e < static_cast<int>(edges_.size()); ++e) {
    std::int64_t low = params(e, 0);
    std::int64_t high = low;
    for (int op = 1; op < edges_[e].size(); ++op) {
      low = std::min(low, params(e, op));
      high = std::max(high, params(e, op));
    }
    range.first += low;
    range.second += high;
  }
  return range;
}

std::pair<Macs, Macs> SearchSpace::macs_range() const {
  std::pair<Macs, Macs> range = {fixed_macs(), fixed_macs()};
  for (int e = 0; e < static_cast<int>(edges_.size()); ++e) {
    Macs low = macs(e, 0);
    Macs high = low;
    for (int op = 1; op < edges_[e].size(); ++op) {
      low = std::min(low, macs(e, op));
      high = std::max(high, macs(e, op));
    }
    range.first = range.first + low;
    range.second = range.second + high;
  }
  return range;
}

Architecture SearchSpace::Build(std::span<const int> choice) const {
  Architecture architecture = base_;
  architecture.code = Code(choice);
  architecture.name = StrCat(name_, "-", architecture.code);
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    architecture.layers[edges_[e].layer] = edges_[e].candidates[choice[e]];
  }
  return architecture;
}

std::optional<Choice> SearchSpace::Encode(const Architecture& architecture) const {
  if (architecture.layers.size() != base_.layers.size()) return std::nullopt;
  Choice choice;
  for (std::size_t i = 0; i < base_.layers.size(); ++i) {
    const Layer& layer = architecture.layers[i];
    if (choice.size() < edges_.size() && edges_[choice.size()].layer == static_cast<int>(i)) {
      const std::vector<Layer>& candidates = edges_[choice.size()].candidates;
      const auto found = std::find_if(candidates.begin(), candidates.end(),
                                      [&layer](const Layer& candidate) { return SameLayer(layer, candidate); });
      if (found == candidates.end()) return std::nullopt;
      choice.push_back(static_cast<int>(found - candidates.begin()));
    } else if (!SameLayer(layer, base_.layers[i])) {
      return std::nullopt;
    }
  }
  return choice;
}

std::string SearchSpace::Code(std::span<const int> choice) const {
  if (choice.size() != edges_.size()) {
    ThrowInput(StrCat("a choice of ", choice.size(), " ops does not fit space \"", name_, "\", which has ",
                      edges_.size(), " edges"));
  }
  std::string code;
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    if (choice[e] < 0 || choice[e] >= edges_[e].size()) {
      ThrowInput(StrCat("op ", choice[e], " is not possible on edge ", e, " of space \"", name_, "\"; 0 to ",
                        edges_[e].size() - 1, " are"));
    }
    code += kDigits[choice[e]];
  }
  return code;
}

Choice SearchSpace::Decode(const std::string& code) const {
  if (code.size() != edges_.size()) {
    ThrowInput(StrCat("code \"", code, "\" has ", code.size(), " digits; space \"", name_, "\" needs ", edges_.size(),
                      ", one per edge"));
  }
  Choice choice;
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    const std::size_t digit = kDigits.find(code[e]);
    if (digit >= static_cast<std::size_t>(edges_[e].size())) {
      ThrowInput(StrCat("code \"", code, "\": '", code[e], "' at position ", e + 1, " is not possible; edge ",
                        edges_[e].name, " of space \"", name_, "\" has ops 0 to ", kDigits[edges_[e].size() - 1]));
    }
    choice.push_back(static_cast<int>(digit));
  }
  return choice;
}

Choice SearchSpace::Sample(CounterRng& rng) const {
  Choice choice;
  for (const Edge& edge : edges_) choice.push_back(static_cast<int>(rng.Below(edge.size())));
  return choice;
}

}  // namespace nas
